"""What accounts write to people by mail; each is queued inside the caller's transaction."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import get_locale

from webapp.accounts.models import User
from webapp.config import current_settings
from webapp.identity import service as identity
from webapp.identity.rules import (
    CODE_LIFE,
    DISOWN_LINK_LIFE,
    INVITATION_LIFE,
    RESET_LINK_LIFE,
    LinkPurpose,
    Purpose,
    Realm,
)
from webapp.lib import clock, useragents
from webapp.mail import outbox


def queue_code(address: str, code: str, purpose: Purpose, *, locale: str, withheld: bool = False) -> None:
    """Queue the mail that carries a code; withheld, it costs as much and goes to nobody."""
    now = clock.utc_now()
    outbox.enqueue(
        to=address,
        template="code",
        locale=locale,
        context={
            "code": code,
            "purpose": purpose.value,
            "minutes": int(CODE_LIFE.total_seconds() // 60),
            "asked_at": now.isoformat(),
        },
        expires_at=now + CODE_LIFE,
        withheld=withheld,
    )


def queue_notice(user: User, event: str, *, to: str = "", detail: str = "", link: str = "") -> None:
    """Queue a mail that tells of something that happened to the account; `link` undoes it, `to` is another address."""
    outbox.enqueue(
        to=to or user.email,
        template="notice",
        locale=_locale_of(user),
        context={
            "event": event,
            "happened_at": clock.utc_now().isoformat(),
            "timezone": user.timezone or current_settings().default_timezone,
            "detail": detail,
            "link": link,
        },
    )


def queue_new_device(user: User, client: identity.Client) -> None:
    """Queue the mail about a sign-in on a device not seen before; its link ends all access to the account."""
    data = {"at": clock.utc_now().isoformat()}
    token = identity.links.issue(
        LinkPurpose.DISOWN_SIGN_IN, Realm.USER, user.id, life=DISOWN_LINK_LIFE, data=data
    )
    detail = " · ".join(filter(None, (*useragents.names(client.user_agent), client.address)))
    queue_notice(user, "new_device", detail=detail, link=address_of("accounts.disown", token=token))


def queue_password_link(user: User, token: str, purpose: LinkPurpose) -> None:
    """Queue the mail with a one-time link to set a password."""
    life = INVITATION_LIFE if purpose is LinkPurpose.INVITATION else RESET_LINK_LIFE
    outbox.enqueue(
        to=user.email,
        template="link",
        locale=_locale_of(user),
        context={
            "purpose": purpose.value,
            "username": user.username,
            "link": address_of("accounts.password_link", token=token),
            "hours": int(life.total_seconds() // 3600),
        },
        expires_at=clock.utc_now() + life,
    )


def address_of(endpoint: str, **values: Any) -> str:
    """Return the whole address of a page of ours, by the configured address and no other."""
    base = current_settings().base_url
    path = current_app.url_map.bind(urlsplit(base).netloc).build(endpoint, values, force_external=False)
    return base + path


def reader_locale() -> str:
    """Return the language of the page at hand, as accounts and mail name it."""
    locale = get_locale()
    return "zh_CN" if locale is not None and locale.language == "zh" else "en"


def _locale_of(user: User) -> str:
    return user.locale or current_settings().default_locale
