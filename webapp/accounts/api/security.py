"""The security of the account: password, address, second step, sessions. For login tokens only."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from webapp.accounts import service
from webapp.accounts.api.declaring import EmailField, MailedCodeField, PasswordField, routes
from webapp.config import current_settings
from webapp.identity import service as identity
from webapp.identity.models import LoginSession
from webapp.identity.rules import Realm
from webapp.web.api import OWNER, Answer, Body, Confirmation, caller
from webapp.web.forms import CODE_FIELD_LENGTH


class PasswordBody(Body):
    """The password and the one to come."""

    current_password: PasswordField
    new_password: PasswordField


class AddressBody(Confirmation):
    """A new address."""

    email: EmailField


class AddressCodeBody(Confirmation):
    """The code that was mailed to the new address."""

    code: MailedCodeField


class AppCodeBody(Confirmation):
    """A code of the authenticator app."""

    code: Annotated[str, Field(min_length=1, max_length=CODE_FIELD_LENGTH)]


class SessionAnswer(Answer):
    """A device or program that is signed in."""

    id: str
    user_agent: str
    address: str
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    current: Annotated[bool, Field(description="whether it is the one that asks")]


class SessionsAnswer(Answer):
    """All of them."""

    items: list[SessionAnswer]


class EndedAnswer(Answer):
    """How many ended."""

    ended: int


class TwoStepAnswer(Answer):
    """Whether two-step sign-in is on, and how many recovery codes are left."""

    on: bool
    recovery_codes_left: int


class KeyAnswer(Answer):
    """The key for an authenticator app."""

    key: str
    address: Annotated[str, Field(description="an otpauth address, to be shown as a QR code")]


class CodesAnswer(Answer):
    """Recovery codes, shown once."""

    recovery_codes: list[str]


@routes.post(
    "/user/password/change",
    OWNER,
    body=PasswordBody,
    limit="password_change",
    fields={"current": "current_password", "new": "new_password"},
)
def change_password(body: PasswordBody) -> None:
    """Change the password; every other session ends."""
    who = caller()
    service.change_password(
        who.person, current=body.current_password, new=body.new_password, session_id=who.session_id
    )


@routes.post("/user/email/change", OWNER, body=AddressBody, limit="mail_code")
def change_address(body: AddressBody) -> None:
    """Mail a code to an address that is to be the account's."""
    service.ask_new_address(caller().person, body.email)


@routes.post("/user/email/confirm", OWNER, body=AddressCodeBody, limit="code_check", refusals=(409,))
def confirm_address(body: AddressCodeBody) -> None:
    """Change the address with the code; every other session ends."""
    service.confirm_new_address(caller().person, body.code, session_id=caller().session_id)


@routes.post("/user/email/cancel", OWNER)
def cancel_address() -> None:
    """Leave the address as it is."""
    service.forget_new_address(caller().person)


@routes.get("/user/sessions", OWNER, answer=SessionsAnswer)
def sessions() -> SessionsAnswer:
    """List the devices and programs that are signed in."""
    rows = identity.sessions_of(Realm.USER, caller().person.id)
    return SessionsAnswer(items=[_of_session(each) for each in rows])


@routes.delete("/user/sessions/<session_id>", OWNER)
def end_session(session_id: str) -> None:
    """Sign one of them out."""
    service.end_device(caller().person, session_id)


@routes.delete("/user/sessions", OWNER, answer=EndedAnswer)
def end_other_sessions() -> EndedAnswer:
    """Sign all others out; this token goes on."""
    return EndedAnswer(ended=service.end_other_devices(caller().person, caller().session_id))


@routes.get("/user/two-step", OWNER, answer=TwoStepAnswer)
def two_step() -> TwoStepAnswer:
    """Tell whether signing in takes a second step."""
    user_id = caller().person.id
    return TwoStepAnswer(
        on=identity.second_factor_is_on(Realm.USER, user_id),
        recovery_codes_left=identity.recovery_codes_left(Realm.USER, user_id),
    )


@routes.post(
    "/user/two-step/offer",
    OWNER,
    body=Confirmation,
    answer=KeyAnswer,
    limit="password_change",
    refusals=(409,),
)
def offer_two_step(body: Confirmation) -> KeyAnswer:
    """Make a key for an authenticator app; a code of it turns two-step sign-in on."""
    del body
    user = caller().person
    identity.offer_totp(Realm.USER, user.id)
    key = identity.offered_totp(Realm.USER, user.id) or ""
    address = identity.totp_address(key, name=user.email, issuer=current_settings().site_name)
    return KeyAnswer(key=key, address=address)


@routes.post(
    "/user/two-step/on",
    OWNER,
    body=AppCodeBody,
    answer=CodesAnswer,
    limit="code_check",
    refusals=(409,),
)
def turn_two_step_on(body: AppCodeBody) -> CodesAnswer:
    """Ask for a second step from now on."""
    return CodesAnswer(recovery_codes=service.turn_two_step_on(caller().person, body.code))


@routes.post("/user/two-step/off", OWNER, body=Confirmation)
def turn_two_step_off(body: Confirmation) -> None:
    """Ask for the password alone from now on."""
    del body
    service.turn_two_step_off(caller().person)


@routes.post(
    "/user/two-step/recovery-codes",
    OWNER,
    body=Confirmation,
    answer=CodesAnswer,
    limit="password_change",
    refusals=(409,),
)
def renew_recovery_codes(body: Confirmation) -> CodesAnswer:
    """Replace the recovery codes."""
    del body
    return CodesAnswer(recovery_codes=service.renew_recovery_codes(caller().person))


def _of_session(row: LoginSession) -> SessionAnswer:
    return SessionAnswer(
        id=row.public_id,
        user_agent=row.user_agent,
        address=row.address,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        current=row.id == caller().session_id,
    )
