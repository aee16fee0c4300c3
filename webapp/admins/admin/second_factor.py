"""An administrator's own two-step sign-in: set up, recovery codes, off."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service
from webapp.admins.admin.actor import actor
from webapp.config import current_settings
from webapp.errors import Invalid
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import qr
from webapp.web.forms import CodeForm
from webapp.web.guards import ANY_ADMIN, fresh, needs
from webapp.web.limits import limit
from webapp.web.redirects import safe_next

blueprint = Blueprint(
    "second_factor", __name__, url_prefix="/account/second-factor", template_folder="../templates"
)


@blueprint.get("/")
@needs(ANY_ADMIN)
def index() -> ResponseReturnValue:
    """Show whether it is on, or how to set it up."""
    return _page(CodeForm(formdata=None))


@blueprint.post("/begin")
@needs(ANY_ADMIN)
@fresh
def begin() -> ResponseReturnValue:
    """Offer a secret, to be confirmed with a code."""
    identity.offer_totp(Realm.ADMIN, actor().id)
    return redirect(url_for("dashboard.second_factor.index", next=safe_next("") or None), 303)


@blueprint.post("/on")
@needs(ANY_ADMIN)
@fresh
@limit("code_check")
def turn_on() -> ResponseReturnValue:
    """Confirm the secret with a code; shows the recovery codes, once."""
    form = CodeForm()
    if form.validate_on_submit():
        try:
            return _codes_page(service.turn_on_second_factor(actor(), form.code.data))
        except Invalid as error:
            form.apply_error(error)
    return _page(form)


@blueprint.post("/recovery-codes")
@needs(ANY_ADMIN)
@fresh
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, and show them once."""
    return _codes_page(service.new_recovery_codes(actor()))


@blueprint.post("/off")
@needs(ANY_ADMIN)
@fresh
def turn_off() -> ResponseReturnValue:
    """Turn it off, where it is not required."""
    service.turn_off_second_factor(actor())
    flash(_("Two-step sign-in is off."), "success")
    return redirect(url_for("dashboard.second_factor.index"), 303)


def _page(form: CodeForm) -> ResponseReturnValue:
    admin, required = actor(), current_settings().second_factor_for_admins
    secret = identity.offered_totp(Realm.ADMIN, admin.id)
    square = ""
    if secret:
        issuer = current_settings().site_name
        square = qr.svg(identity.totp_address(secret, name=admin.username, issuer=issuer))
    page = render_template(
        "admins/second_factor.html",
        form=form,
        tab="second_factor",
        on=identity.second_factor_is_on(Realm.ADMIN, admin.id),
        required=required,
        codes_left=identity.recovery_codes_left(Realm.ADMIN, admin.id),
        square=square,
        key=identity.totp_key_in_groups(secret) if secret else "",
        next=safe_next(""),
    )
    return page, 422 if form.errors else 200


def _codes_page(codes: list[str]) -> ResponseReturnValue:
    go_on = safe_next(url_for("dashboard.second_factor.index"))
    return render_template("admins/recovery_codes.html", codes=codes, go_on=go_on)
