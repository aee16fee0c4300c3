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
