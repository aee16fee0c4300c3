"""The page of an account's security: second step, devices, history, address."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from webapp.accounts import service
from webapp.accounts.forms import AddressForm
from webapp.accounts.views.blueprint import blueprint
from webapp.config import current_settings
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import qr
from webapp.web.forms import CodeForm, EmptyForm
from webapp.web.guards import fresh
from webapp.web.limits import limit

PAGE = "accounts.security"


@blueprint.get("/profile/security")
def security() -> ResponseReturnValue:
    """Show how the account is secured and where it is used."""
    return security_page()


@blueprint.post("/profile/security/two-step/offer")
@limit("password_change")
@fresh
def offer_two_step() -> ResponseReturnValue:
    """Make a secret for the authenticator app."""
    identity.offer_totp(Realm.USER, current_user.id)
    return redirect(url_for(PAGE), 303)


@blueprint.post("/profile/security/two-step/cancel")
def cancel_two_step() -> ResponseReturnValue:
    """Give up turning it on."""
    identity.give_up_totp(Realm.USER, current_user.id)
    return redirect(url_for(PAGE), 303)


@blueprint.post("/profile/security/two-step/on")
@limit("code_check")
@fresh
def turn_two_step_on() -> ResponseReturnValue:
    """Turn it on with a code of the app, and show the recovery codes once."""
    form = CodeForm()
    if form.validate_on_submit():
        try:
            return _codes_page(service.turn_two_step_on(current_user, form.code.data))
        except AppError as error:
            form.apply_error(error)
    return security_page(form=form), 422


@blueprint.post("/profile/security/two-step/off")
@fresh
def turn_two_step_off() -> ResponseReturnValue:
    """Turn it off."""
    service.turn_two_step_off(current_user)
    flash(_("Two-step sign-in is off."), "success")
    return redirect(url_for(PAGE), 303)


@blueprint.post("/profile/security/recovery-codes")
@limit("password_change")
@fresh
def renew_recovery_codes() -> ResponseReturnValue:
    """Replace the recovery codes, and show the new ones once."""
    return _codes_page(service.renew_recovery_codes(current_user))


@blueprint.post("/profile/security/devices/<session_id>/end")
def end_device(session_id: str) -> ResponseReturnValue:
    """Sign out one device."""
    ended = service.end_device(current_user, session_id)
    if ended.id == identity.current_session_id():
        return redirect(url_for("accounts.login"), 303)
    flash(_("That device is signed out."), "success")
    return redirect(url_for(PAGE), 303)


@blueprint.post("/profile/security/devices/end-others")
def end_other_devices() -> ResponseReturnValue:
    """Sign out all devices but this one."""
    ended = service.end_other_devices(current_user, identity.current_session_id())
    told = ngettext("%(num)s other device is signed out.", "%(num)s other devices are signed out.", ended)
    flash(told, "success")
    return redirect(url_for(PAGE), 303)


@blueprint.post("/profile/security/address")
@limit("mail_code")
@fresh
def change_address() -> ResponseReturnValue:
    """Mail a code to a new address."""
    form = AddressForm()
    if form.validate_on_submit():
        try:
            service.ask_new_address(current_user, form.email.data)
        except AppError as error:
            form.apply_error(error)
        else:
            return redirect(url_for(PAGE, _anchor="address"), 303)
    return security_page(address_form=form), 422


@blueprint.post("/profile/security/address/confirm")
@limit("code_check")
@fresh
def confirm_address() -> ResponseReturnValue:
    """Change the address with the code."""
    form = CodeForm(prefix="address")
    if form.validate_on_submit():
        session_id = identity.current_session_id()
        try:
            service.confirm_new_address(current_user, form.code.data, session_id=session_id)
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("Your address is changed. Your other devices are signed out."), "success")
            return redirect(url_for(PAGE), 303)
    return security_page(address_code_form=form), 422


@blueprint.post("/profile/security/address/cancel")
def cancel_address() -> ResponseReturnValue:
    """Leave the address as it is."""
    service.forget_new_address(current_user)
    return redirect(url_for(PAGE, _anchor="address"), 303)


def security_page(**forms: Any) -> str:
    """Return the page, with the forms given in the place of empty ones."""
    user_id = current_user.id
    key = identity.offered_totp(Realm.USER, user_id)
    issuer = current_settings().site_name
    return render_template(
        "accounts/security.html",
        tab="security",
        form=forms.get("form") or CodeForm(formdata=None),
        address_form=forms.get("address_form") or AddressForm(formdata=None),
        address_code_form=forms.get("address_code_form") or CodeForm(formdata=None, prefix="address"),
        two_step=identity.second_factor_is_on(Realm.USER, user_id),
        recovery_left=identity.recovery_codes_left(Realm.USER, user_id),
        totp_key=identity.totp_key_in_groups(key) if key else "",
        totp_square=qr.svg(identity.totp_address(key, name=current_user.email, issuer=issuer)) if key else "",
        devices=identity.sessions_of(Realm.USER, user_id),
        this_device=identity.current_session_id(),
        sign_ins=identity.sign_in_history(Realm.USER, user_id),
        empty_form=EmptyForm(formdata=None),
    )


def _codes_page(codes: list[str]) -> str:
    return render_template("accounts/recovery_codes.html", tab="security", codes=codes)
