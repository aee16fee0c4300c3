"""Setting a password without the old one, and taking an account back from whoever got into it."""

from __future__ import annotations

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.accounts import service
from webapp.accounts.forms import ForgotForm, NewPasswordForm, ResetForm
from webapp.accounts.views.blueprint import blueprint
from webapp.accounts.views.registering import asks_for_code, code_page, note_code_asked
from webapp.config import current_settings
from webapp.errors import AppError, NotFound
from webapp.web import cookies
from webapp.web.forms import EmptyForm
from webapp.web.guards import public
from webapp.web.limits import limit


@blueprint.route("/password/forgot", methods=["GET", "POST"])
@public
@limit("mail_code")
def forgot_password() -> ResponseReturnValue:
    """Ask for a code to set a new password."""
    form = ForgotForm()
    if form.validate_on_submit():
        try:
            _send_code(form)
        except AppError as error:
            form.apply_error(error)
        else:
            return redirect(url_for("accounts.reset_password"), 303)
    page = render_template("accounts/forgot.html", form=form, can_mail=current_settings().can_mail)
    return page, 422 if form.errors else 200


@blueprint.route("/password/reset", methods=["GET", "POST"])
@public
@limit("mail_code", when=asks_for_code)
@limit("code_check")
def reset_password() -> ResponseReturnValue:
    """Set a new password with the code."""
    form = ResetForm(email=session.get("reset_email", ""))
    try:
        if asks_for_code():
            _send_code(form)
        elif form.validate_on_submit():
            service.reset_password(email=form.email.data, code=form.code.data, password=form.password.data)
            return _password_set()
    except AppError as error:
        form.apply_error(error)
    return code_page("accounts/reset.html", form)


@blueprint.route("/password/link/<token>", methods=["GET", "POST"])
@public
@limit("code_check")
def password_link(token: str) -> ResponseReturnValue:
    """Set a password with a one-time link."""
    user = service.user_of_link(token)
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            service.reset_by_link(token=token, password=form.password.data)
        except NotFound:
            raise
        except AppError as error:
            form.apply_error(error)
        else:
            return _password_set()
    min_length = current_settings().password_min_length
    page = render_template(
        "accounts/password_link.html", form=form, min_length=min_length, username=user.username
    )
    return page, 422 if form.errors else 200


@blueprint.route("/security/not-me/<token>", methods=["GET", "POST"])
@public
@limit("code_check")
def disown(token: str) -> ResponseReturnValue:
    """Say that a sign-in was somebody else's: all access ends, and a new password is to be set."""
    service.check_disown_link(token)
    form = EmptyForm()
    if form.validate_on_submit():
        cookies.end_user()
        return redirect(url_for("accounts.password_link", token=service.disown(token)), 303)
    return render_template("accounts/disown.html", form=form, address_changed=False)


@blueprint.route("/security/address/<token>", methods=["GET", "POST"])
@public
@limit("code_check")
def object_to_address(token: str) -> ResponseReturnValue:
    """Say that the change of the e-mail address was somebody else's: the old one comes back, all access ends."""
    service.check_objection_link(token)
    form = EmptyForm()
    if form.validate_on_submit():
        cookies.end_user()
        return redirect(url_for("accounts.password_link", token=service.object_to_address(token)), 303)
    return render_template("accounts/disown.html", form=form, address_changed=True)


def _send_code(form: ForgotForm | ResetForm) -> None:
    service.ask_reset_code(form.email.data or "")
    session["reset_email"] = form.email.data
    note_code_asked()


def _password_set() -> ResponseReturnValue:
    cookies.end_user()
    flash(_("Your password is set. Sign in with it; all other devices are signed out."), "info")
    return redirect(url_for("accounts.login"), 303)
