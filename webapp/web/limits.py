"""How often something may be done: every limit of the program, by name.

Limits are counted in Redis where there is one, so that all processes share them, and in memory otherwise or
while Redis is away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, ParamSpec, TypeVar

from flask import Flask, g, request
from flask_login import current_user

from webapp import bus
from webapp.config import Settings
from webapp.extensions import limiter
from webapp.web.counting import SharedStorage
from webapp.web.requests import client_address

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate in the notation of the `limits` package, and what it is counted by."""

    rate: str
    by: Literal["address", "user", "admin", "caller"]


LIMITS: Final[dict[str, Limit]] = {
    "default": Limit("600 per minute", "address"),
    "api_address": Limit("1200 per minute", "address"),
    "api": Limit("600 per minute", "caller"),
    "login_address": Limit("20 per minute; 200 per hour", "address"),
    "mail_code": Limit("5 per minute; 30 per hour", "address"),
    "code_check": Limit("20 per minute", "address"),
    "chat_send": Limit("30 per minute; 600 per hour", "user"),
    "model_call": Limit("120 per minute; 3000 per hour", "caller"),
    "chat_search": Limit("60 per minute", "user"),
    "chat_open_stream": Limit("240 per minute", "user"),
    "schedule_change": Limit("20 per minute; 200 per hour", "user"),
    "schedule_preview": Limit("120 per minute", "user"),
    "upload": Limit("20 per hour", "user"),
    "token_create": Limit("10 per hour", "user"),
    "export_own_data": Limit("3 per day", "user"),
    "password_change": Limit("10 per hour", "user"),
    "audit_export": Limit("10 per minute; 60 per hour", "admin"),
    "audit_verify": Limit("10 per minute; 120 per hour", "admin"),
    "export": Limit("20 per hour", "admin"),
    "import": Limit("30 per hour", "admin"),
    "bulk": Limit("60 per hour", "admin"),
    "provider_test": Limit("5 per minute; 60 per hour", "admin"),
    "stream_test": Limit("10 per minute", "address"),
    "task_open_stream": Limit("240 per minute", "admin"),
    "mail_test": Limit("5 per minute; 30 per hour", "admin"),
}

COUNTED_WHEN_READ: Final = frozenset(
    {"api", "api_address", "chat_open_stream", "task_open_stream", "chat_search", "stream_test"}
)  # reading is what costs here


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the limiter; requests beyond a limit raise 429 with Retry-After."""
    app.config.update(
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_STORAGE_URI=f"{SharedStorage.STORAGE_SCHEME[0]}://",
        RATELIMIT_STORAGE_OPTIONS={"line": bus.line(app)},
        RATELIMIT_STRATEGY="moving-window",
        RATELIMIT_KEY_PREFIX="agent-tools",
    )
    limiter.init_app(app)


def limit(name: str, *, when: Callable[[], bool] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Hold a view to a named limit; only requests that change something count, and of these those `when` is true for."""
    row = LIMITS[name]

    def exempt() -> bool:
        return _is_harmless() or (when is not None and not when())

    decorator: Callable[[Callable[P, R]], Callable[P, R]] = limiter.limit(
        row.rate,
        key_func=_KEYS[row.by],
        scope=name,
        exempt_when=None if name in COUNTED_WHEN_READ else exempt,
    )
    return decorator


def _is_harmless() -> bool:
    return request.method in {"GET", "HEAD", "OPTIONS"}


def _user_key() -> str:
    """Count by the person, on however many devices."""
    if current_user.is_authenticated:
        return f"user:{current_user.public_id}"
    return f"address:{client_address()}"


def _admin_key() -> str:
    admin = g.get("admin")
    return f"admin:{admin.public_id}" if admin is not None else f"address:{client_address()}"


def _caller_key() -> str:
    """Count by whoever calls the API, user or administrator."""
    return _user_key() if g.get("admin") is None else _admin_key()


_KEYS: Final[dict[str, Callable[[], Any]]] = {
    "address": client_address,
    "user": _user_key,
    "admin": _admin_key,
    "caller": _caller_key,
}
