"""An administrator's own account."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service
from webapp.admins.admin.actor import actor
from webapp.admins.forms import OwnAccountForm, OwnPasswordForm
from webapp.config import current_settings
from webapp.errors import AppError, Invalid
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.guards import ANY_ADMIN, admin_session_id, needs
from webapp.web.limits import limit
from webapp.web.locale import LANGUAGES
from webapp.web.redirects import safe_next

blueprint = Blueprint("account", __name__, url_prefix="/account", template_folder="../templates")


@blueprint.route("/", methods=["GET", "POST"])
@needs(ANY_ADMIN)
def index() -> ResponseReturnValue:
    """Show and change name, language and zone."""
    form = OwnAccountForm(obj=actor())
    form.offer_timezones()
    if form.validate_on_submit():
        try:
            service.change_own_account(
                actor(),
                display_name=form.display_name.data,
                locale=form.locale.data,
                timezone=form.timezone.data,
            )
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("dashboard.account.index"), 303)
    return render_template("admins/account.html", form=form, tab="account"), 422 if form.errors else 200


@blueprint.route("/password", methods=["GET", "POST"])
@needs(ANY_ADMIN)
@limit("password_change")
def password() -> ResponseReturnValue:
    """Change one's own password."""
    form = OwnPasswordForm()
    if form.validate_on_submit():
        try:
            service.change_own_password(
                actor(), current=form.current.data, new=form.new.data, session_id=admin_session_id()
            )
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("Your password is changed. Your other devices are signed out."), "success")
            return redirect(url_for("dashboard.account.password"), 303)
    least = current_settings().admin_password_min_length
    page = render_template("admins/account_password.html", form=form, tab="password", min_length=least)
    return page, 422 if form.errors else 200


@blueprint.post("/language")
@needs(ANY_ADMIN)
def language() -> ResponseReturnValue:
    """Switch the language, on the account."""
    chosen = request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise Invalid(_("Choose one of the languages offered."), field="language")
    service.set_own_locale(actor(), chosen)
    return redirect(safe_next(url_for("dashboard.account.index")), 303)


@blueprint.get("/sessions")
@needs(ANY_ADMIN)
def sessions() -> ResponseReturnValue:
    """Show where one is signed in, and the last tries."""
    return render_template(
        "admins/account_sessions.html",
        sessions=identity.sessions_of(Realm.ADMIN, actor().id),
        this_id=admin_session_id(),
        tries=identity.sign_in_history(Realm.ADMIN, actor().id),
        tab="sessions",
    )


@blueprint.post("/sessions/end")
@needs(ANY_ADMIN)
def end_other_sessions() -> ResponseReturnValue:
    """Sign out everywhere else."""
    service.end_other_sessions(actor(), admin_session_id())
    flash(_("Your other devices are signed out."), "success")
    return redirect(url_for("dashboard.account.sessions"), 303)


@blueprint.post("/sessions/<session_id>/end")
@needs(ANY_ADMIN)
def end_session(session_id: str) -> ResponseReturnValue:
    """Sign out one device."""
    service.end_own_session(actor(), session_id)
    flash(_("The device is signed out."), "success")
    return redirect(url_for("dashboard.account.sessions"), 303)
