"""The set-up wizard: the first administrator by a one-time link, then what the site needs to be of use."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.admins import service
from webapp.admins.forms import FirstAdminForm
from webapp.config import current_settings
from webapp.errors import AppError
from webapp.web import cookies
from webapp.web.guards import public
from webapp.web.limits import limit
from webapp.web.requests import client_address

blueprint = Blueprint("setup", __name__, url_prefix="/setup")


@blueprint.route("/<token>", methods=["GET", "POST"])
@public
@limit("code_check")
def first_admin(token: str) -> ResponseReturnValue:
    """Make the first administrator."""
    service.check_setup_token(token)
    form = FirstAdminForm()
    if form.validate_on_submit():
        try:
            session_token = service.set_up(
                token=token,
                username=form.username.data,
                email=form.email.data,
                password=form.password.data,
                user_agent=request.user_agent.string,
                address=client_address(),
            )
        except AppError as error:
            if not error.field:
                raise
            form.apply_error(error)
        else:
            cookies.begin_admin(session_token)
            return redirect(url_for("dashboard.overview.index"), 303)
    least = current_settings().admin_password_min_length
    page = render_template("dashboard/setup_admin.html", form=form, token=token, min_length=least)
    return page, 422 if form.errors else 200
