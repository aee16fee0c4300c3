"""Signing in, in one step or two, and out; and proving again who one is."""

from __future__ import annotations

from typing import Final

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from webapp.accounts import service
from webapp.accounts.forms import ConfirmForm, LoginForm
from webapp.accounts.views.blueprint import blueprint
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web import cookies, device_cookie
from webapp.web.forms import CodeForm, EmptyForm
from webapp.web.guards import public
from webapp.web.limits import limit
from webapp.web.redirects import safe_next
from webapp.web.requests import client_address

SECOND_STEP: Final = "second_step"
KEEP_ACCOUNT: Final = "keep_account"
USER_TOKEN: Final = cookies.USER_KEYS[0]


def client() -> identity.Client:
    """Return who asks, as identity knows them."""
    return identity.Client(request.user_agent.string, client_address(), device_cookie.read())


def from_new_device() -> bool:
    """Tell whether nobody has signed in on this device before."""
    return not identity.is_known_device(device_cookie.read())


@blueprint.route("/login", methods=["GET", "POST"])
@public
@limit("login_address", when=from_new_device)
def login() -> ResponseReturnValue:
    """Sign in: the first step."""
    if current_user.is_authenticated:
        return redirect(safe_next(url_for("chat.index")))
    form = LoginForm()
    if form.validate_on_submit():
        try:
            return after_step(
                service.log_in(
                    login=form.login.data,
                    password=form.password.data,
                    keep=bool(form.keep.data),
                    client=client(),
                )
            )
        except AppError as error:
            form.apply_error(error)
            return _login_page(form, error.status, error.retry_after_seconds)
    return _login_page(form, 422 if form.errors else 200)


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
@limit("code_check")
def second_step() -> ResponseReturnValue:
    """Sign in: the second step, with a code of the app or a recovery code."""
    token = session.get(SECOND_STEP, "")
    if identity.find_second_step(Realm.USER, token) is None:
        session.pop(SECOND_STEP, None)
        return redirect(url_for("accounts.login", next=safe_next("") or None))
    form = CodeForm()
    status = 200
    if form.validate_on_submit():
        try:
            return after_step(service.log_in_with_code(token=token, code=form.code.data, client=client()))
        except AppError as error:
            form.apply_error(error)
            status = error.status
    recovery = "recovery" in request.args
    page = render_template("accounts/second_step.html", form=form, recovery=recovery, next=safe_next(""))
    return page, 422 if form.errors and status == 200 else status


@blueprint.route("/login/keep", methods=["GET", "POST"])
@public
@limit("code_check")
def keep_account() -> ResponseReturnValue:
    """Take back the wish to be deleted, or leave it at that."""
    token = session.get(KEEP_ACCOUNT, "")
    user = service.deletion_of(token)
    if user is None:
        session.pop(KEEP_ACCOUNT, None)
        return redirect(url_for("accounts.login"))
    form = EmptyForm()
    if form.validate_on_submit():
        try:
            signed_in = service.keep_account(token=token, client=client())
        except AppError as error:
            form.apply_error(error)
        else:
            response = after_step(signed_in)
            flash(_("Your account stays. Nothing was deleted."), "success")
            return response
    return render_template("accounts/keep.html", form=form, due=user.deletion_due_at)


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out: the session ends on the server, whatever becomes of the cookie."""
    service.log_out(current_user, identity.current_session_id())
    logout_user()
    cookies.end_user()
    return redirect(url_for("accounts.login"), 303)


@blueprint.route("/confirm", methods=["GET", "POST"])
@limit("code_check")
def confirm() -> ResponseReturnValue:
    """Prove again who one is, and go back to where that was asked."""
    two_step = identity.second_factor_is_on(Realm.USER, current_user.id)
    form, status = ConfirmForm(), 200
    if form.validate_on_submit():
        try:
            session_id = identity.current_session_id() or 0
            token = identity.confirm(Realm.USER, current_user, session_id, form.proof.data)
        except AppError as error:
            form.apply_error(error)
            status = error.status
        else:
            session[USER_TOKEN] = token
            return redirect(safe_next(url_for("accounts.profile")), 303)
    form.name_proof(two_step=two_step)
    page = render_template(
        "accounts/confirm.html",
        form=form,
        two_step=two_step,
        recovery="recovery" in request.args,
        next=safe_next(""),
    )
    return page, 422 if form.errors and status == 200 else status


def after_step(step: service.SignIn) -> ResponseReturnValue:
    """Lead on: into the program under a new session, or to the next step, of which the cookie keeps the token."""
    if isinstance(step, service.SecondStepNeeded):
        session[SECOND_STEP] = step.token
        return redirect(url_for("accounts.second_step", next=safe_next("") or None), 303)
    if isinstance(step, service.DeletionPending):
        session[KEEP_ACCOUNT] = step.token
        return redirect(url_for("accounts.keep_account"), 303)
    target = safe_next(url_for("chat.index"))
    cookies.begin_user(keep=step.keep)
    login_user(step.user)
    return device_cookie.write(redirect(target, 303), step.device_token)


def _login_page(form: LoginForm, status: int, retry_after: int | None = None) -> ResponseReturnValue:
    page = render_template("accounts/login.html", form=form, next=safe_next(""))
    return page, status, {} if retry_after is None else {"Retry-After": str(retry_after)}
