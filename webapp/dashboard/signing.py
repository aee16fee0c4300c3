"""Administrators sign in, in one step or two, and out."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from webapp.admins import service
from webapp.dashboard.forms import LoginForm
from webapp.dashboard.guard import SIGN_IN_ENDPOINT
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web import cookies, device_cookie
from webapp.web.forms import CodeForm
from webapp.web.guards import ANY_ADMIN, needs, public
from webapp.web.limits import limit
from webapp.web.redirects import safe_next
from webapp.web.requests import client_address

blueprint = Blueprint("signing", __name__)

SECOND_STEP: Final = "admin_second_step"


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
    if g.admin is not None:
        return redirect(safe_next(url_for("dashboard.overview.index")))
    form, status = LoginForm(), 200
    if form.validate_on_submit():
        try:
            step = service.log_in(login=form.login.data, password=form.password.data, client=client())
        except AppError as error:
            form.apply_error(error)
            status = error.status
        else:
            return _after_step(step)
    page = render_template("dashboard/login.html", form=form, next=safe_next(""))
    return page, 422 if form.errors and status == 200 else status


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
@limit("code_check")
def second_step() -> ResponseReturnValue:
    """Sign in: the second step, with a code of the app or a recovery code."""
    token = session.get(SECOND_STEP, "")
    if identity.find_second_step(Realm.ADMIN, token) is None:
        session.pop(SECOND_STEP, None)
        return redirect(url_for(SIGN_IN_ENDPOINT, next=safe_next("") or None))
    form, status = CodeForm(), 200
    if form.validate_on_submit():
        try:
            return _after_step(service.log_in_with_code(token=token, code=form.code.data, client=client()))
        except AppError as error:
            form.apply_error(error)
            status = error.status
    recovery = "recovery" in request.args
    page = render_template("dashboard/second_step.html", form=form, recovery=recovery, next=safe_next(""))
    return page, 422 if form.errors and status == 200 else status


@blueprint.post("/logout")
@needs(ANY_ADMIN)
def logout() -> ResponseReturnValue:
    """Sign out: the session ends on the server, whatever becomes of the cookie."""
    service.log_out(g.admin, g.admin_session_id)
    cookies.end_admin()
    return redirect(url_for(SIGN_IN_ENDPOINT), 303)


def _after_step(step: service.SignIn) -> ResponseReturnValue:
    if isinstance(step, service.SecondStepNeeded):
        session[SECOND_STEP] = step.token
        return redirect(url_for("dashboard.signing.second_step", next=safe_next("") or None), 303)
    target = safe_next(url_for("dashboard.overview.index"))
    cookies.begin_admin(step.session_token)
    return device_cookie.write(redirect(target, 303), step.device_token)
