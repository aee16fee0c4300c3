"""What accounts write to people by mail; each is queued inside the caller's transaction."""

from __future__ import annotations

from flask_babel import get_locale

from webapp.accounts.models import User
from webapp.config import current_settings
from webapp.identity.rules import CODE_LIFE, Purpose
from webapp.lib import clock
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


def queue_notice(user: User, event: str) -> None:
    """Queue a mail that tells of something that happened to the account."""
    settings = current_settings()
    outbox.enqueue(
        to=user.email,
        template="notice",
        locale=user.locale or settings.default_locale,
        context={
            "event": event,
            "happened_at": clock.utc_now().isoformat(),
            "timezone": user.timezone or settings.default_timezone,
        },
    )


def reader_locale() -> str:
    """Return the language of the page at hand, as accounts and mail name it."""
    locale = get_locale()
    return "zh_CN" if locale is not None and locale.language == "zh" else "en"
