"""Registering: on the first page one asks for a code, on the second one uses it."""

from __future__ import annotations

import time

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.accounts import service
from webapp.accounts.forms import RegisterForm
from webapp.accounts.views.blueprint import blueprint
from webapp.accounts.views.signing import after_step, client
from webapp.config import current_settings
from webapp.errors import AppError
from webapp.identity.rules import CODE_RESEND_SECONDS
from webapp.web.forms import Form
from webapp.web.guards import public
from webapp.web.limits import limit

CODE_ASKED_AT = "code_asked_at"


def asks_for_code() -> bool:
    """Tell whether the button for a code was pressed, rather than the one that uses it."""
    return "send" in request.form


@blueprint.route("/register", methods=["GET", "POST"])
@public
@limit("mail_code", when=asks_for_code)
@limit("code_check")
def register() -> ResponseReturnValue:
    """Create an account."""
    if current_user.is_authenticated:
        return redirect(url_for("chat.index"))
    form = RegisterForm(email=session.get("register_email", ""))
    step = "code" if request.args.get("step") == "code" and form.email.data else "address"
    if request.method == "POST":
        try:
            if asks_for_code():
                return _send_code(form, step)
            step = "code"
            if form.validate():
                return _register(form)
        except AppError as error:
            form.apply_error(error)
            step = "address" if error.field == "email" else step
    return code_page(f"accounts/register_{step}.html", form)


def note_code_asked() -> None:
    """Note in the cookie that a code was asked for now, for the countdown beside the field."""
    session[CODE_ASKED_AT] = int(time.time())


def code_page(template: str, form: Form) -> ResponseReturnValue:
    """Return a page with a field for a mailed code."""
    waited = int(time.time()) - int(session.get(CODE_ASKED_AT, 0))
    page = render_template(
        template,
        form=form,
        min_length=current_settings().password_min_length,
        resend_seconds=max(0, CODE_RESEND_SECONDS - max(0, waited)),
    )
    return page, 422 if form.errors else 200


def _send_code(form: RegisterForm, step: str) -> ResponseReturnValue:
    service.ask_register_code(form.email.data or "")
    session["register_email"] = form.email.data
    note_code_asked()
    if step == "code":  # another code: what is typed beside it stays
        return code_page("accounts/register_code.html", form)
    return redirect(url_for("accounts.register", step="code"), 303)


def _register(form: RegisterForm) -> ResponseReturnValue:
    zone = form.timezone.data
    user = service.register(
        email=form.email.data,
        username=form.username.data,
        password=form.password.data,
        code=form.code.data,
        timezone=zone if zone in service.timezones() else None,
    )
    return after_step(service.begin_first_session(user, client()))
