"""Registering, signing in and out, and setting a new password with a mailed code."""

from __future__ import annotations

import time

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from webapp.accounts import service
from webapp.accounts.forms import ForgotForm, LoginForm, RegisterForm, ResetForm
from webapp.accounts.views.blueprint import blueprint
from webapp.config import current_settings
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import CODE_RESEND_SECONDS
from webapp.web import cookies
from webapp.web.forms import Form
from webapp.web.guards import public
from webapp.web.limits import limit
from webapp.web.redirects import safe_next
from webapp.web.requests import client_address

CODE_ASKED_AT = "code_asked_at"


def asks_for_code() -> bool:
    """Tell whether the button for a code was pressed, rather than the one that uses it."""
    return "send" in request.form


@blueprint.route("/register", methods=["GET", "POST"])
@public
@limit("mail_code", when=asks_for_code)
@limit("code_check")
def register() -> ResponseReturnValue:
    """Create an account: on the first page one asks for a code, on the second one uses it."""
    if current_user.is_authenticated:
        return redirect(url_for("chat.index"))
    form = RegisterForm(email=session.get("register_email", ""))
    step = "code" if request.args.get("step") == "code" and form.email.data else "address"
    if request.method == "POST":
        try:
            if asks_for_code():
                return _send_register_code(form, step)
            step = "code"
            if form.validate():
                return _register(form)
        except AppError as error:
            form.apply_error(error)
            step = "address" if error.field == "email" else step
    return _code_page(f"accounts/register_{step}.html", form)


@blueprint.route("/login", methods=["GET", "POST"])
@public
@limit("login_address")
@limit("login_account")
def login() -> ResponseReturnValue:
    """Sign in."""
    if current_user.is_authenticated:
        return redirect(safe_next(url_for("chat.index")))
    form = LoginForm()
    if form.validate_on_submit():
        try:
            return _sign_in(form.login.data, form.password.data, keep=form.keep.data)
        except AppError as error:
            form.apply_error(error)
    return render_template("accounts/login.html", form=form, next=safe_next("")), 422 if form.errors else 200


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out: the session ends on the server, whatever becomes of the cookie."""
    service.log_out(identity.current_session_id())
    logout_user()
    cookies.end_user()
    return redirect(url_for("accounts.login"), 303)


@blueprint.route("/password/forgot", methods=["GET", "POST"])
@public
@limit("mail_code")
def forgot_password() -> ResponseReturnValue:
    """Ask for a code to set a new password."""
    form = ForgotForm()
    if form.validate_on_submit():
        try:
            _send_reset_code(form)
        except AppError as error:
            form.apply_error(error)
        else:
            return redirect(url_for("accounts.reset_password"), 303)
    return render_template("accounts/forgot.html", form=form), 422 if form.errors else 200


@blueprint.route("/password/reset", methods=["GET", "POST"])
@public
@limit("mail_code", when=asks_for_code)
@limit("code_check")
def reset_password() -> ResponseReturnValue:
    """Set a new password with the code."""
    form = ResetForm(email=session.get("reset_email", ""))
    try:
        if asks_for_code():
            _send_reset_code(form)
        elif form.validate_on_submit():
            service.reset_password(email=form.email.data, code=form.code.data, password=form.password.data)
            cookies.end_user()
            flash(_("Your password is set. Sign in with it; all other devices are signed out."), "info")
            return redirect(url_for("accounts.login"), 303)
    except AppError as error:
        form.apply_error(error)
    return _code_page("accounts/reset.html", form)


def _send_register_code(form: RegisterForm, step: str) -> ResponseReturnValue:
    service.ask_register_code(form.email.data or "")
    session["register_email"], session[CODE_ASKED_AT] = form.email.data, int(time.time())
    if step == "code":  # another code: what is typed beside it stays
        return _code_page("accounts/register_code.html", form)
    return redirect(url_for("accounts.register", step="code"), 303)


def _send_reset_code(form: ForgotForm | ResetForm) -> None:
    service.ask_reset_code(form.email.data or "")
    session["reset_email"], session[CODE_ASKED_AT] = form.email.data, int(time.time())


def _register(form: RegisterForm) -> ResponseReturnValue:
    zone = form.timezone.data
    service.register(
        email=form.email.data,
        username=form.username.data,
        password=form.password.data,
        code=form.code.data,
        timezone=zone if zone in service.timezones() else None,
    )
    return _sign_in(form.email.data, form.password.data, keep=True)


def _code_page(template: str, form: Form) -> ResponseReturnValue:
    waited = int(time.time()) - int(session.get(CODE_ASKED_AT, 0))
    page = render_template(
        template,
        form=form,
        min_length=current_settings().password_min_length,
        resend_seconds=max(0, CODE_RESEND_SECONDS - max(0, waited)),
    )
    return page, 422 if form.errors else 200


def _sign_in(name: str, password: str, *, keep: bool) -> ResponseReturnValue:
    """Begin a session under a new id; nothing of the one before is taken over."""
    user = service.log_in(
        login=name,
        password=password,
        keep=keep,
        user_agent=request.user_agent.string,
        address=client_address(),
    )
    target = safe_next(url_for("chat.index"))
    cookies.begin_user(keep=keep)
    login_user(user)
    return redirect(target, 303)
