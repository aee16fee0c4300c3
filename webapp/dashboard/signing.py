"""Administrators sign in and out."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.admins import service
from webapp.dashboard.forms import LoginForm
from webapp.dashboard.guard import SIGN_IN_ENDPOINT
from webapp.errors import AppError
from webapp.web import cookies
from webapp.web.guards import ANY_ADMIN, needs, public
from webapp.web.limits import limit
from webapp.web.redirects import safe_next
from webapp.web.requests import client_address

blueprint = Blueprint("signing", __name__)


@blueprint.route("/login", methods=["GET", "POST"])
@public
@limit("login_address")
@limit("login_account")
def login() -> ResponseReturnValue:
    """Sign in."""
    if g.admin is not None:
        return redirect(url_for("dashboard.overview.index"))
    form = LoginForm()
    if form.validate_on_submit():
        try:
            token = service.log_in(
                login=form.login.data,
                password=form.password.data,
                user_agent=request.user_agent.string,
                address=client_address(),
            )
        except AppError as error:
            form.apply_error(error)
        else:
            target = safe_next(url_for("dashboard.overview.index"))
            cookies.begin_admin(token)
            return redirect(target, 303)
    status = 422 if form.errors else 200
    return render_template("dashboard/login.html", form=form, next=safe_next("")), status


@blueprint.post("/logout")
@needs(ANY_ADMIN)
def logout() -> ResponseReturnValue:
    """Sign out: the session ends on the server, whatever becomes of the cookie."""
    service.log_out(g.admin, g.admin_session_id)
    cookies.end_admin()
    return redirect(url_for(SIGN_IN_ENDPOINT), 303)
