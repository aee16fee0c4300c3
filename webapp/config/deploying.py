"""What is unsafe about the settings of a deployment that others reach, though nothing is wrong with any one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from webapp.config.settings import Settings

DEFAULT_PASSWORDS: Final = frozenset(
    {
        "",
        "root",
        "password",
        "passw0rd",
        "changeme",
        "change-me",
        "secret",
        "admin",
        "mysql",
        "mariadb",
        "123456",
        "test",
    }
)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
YEAR_SECONDS: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Unsafe:
    """Something unsafe, with the name of the setting and the fix; `refused` where nothing starts with it."""

    name: str
    sentence: str
    refused: bool = False

    def __str__(self) -> str:
        """Return the line that is shown."""
        return f"{self.name}: {self.sentence}"


def unsafe(settings: Settings) -> Iterator[Unsafe]:
    """Yield what is unsafe, as far as the settings alone tell."""
    if settings.profile != "production":
        yield Unsafe("APP_PROFILE", "set it to production: the local profile shows mail and developer pages.")
    if not settings.https:
        yield Unsafe(
            "PUBLIC_URL",
            "give an https:// address: cookies are only then Secure, and HSTS is only then sent.",
        )
    if "*" in settings.hosts or any(host.startswith(".") for host in settings.hosts):
        yield Unsafe("TRUSTED_HOSTS", "name each host that is answered, without wildcards.", refused=True)
    if "*" in settings.api_cors_origins:
        yield Unsafe(
            "API_CORS_ORIGINS", "name each origin; * lets every page on the web call the API.", refused=True
        )
    if settings.https and settings.proxy_count == 0:
        yield Unsafe(
            "PROXY_COUNT",
            "TLS ends at a proxy: set how many there are, or all people seem to come from its address and share limits.",
        )
    yield from _of_stores(settings)
    if not settings.mail_server:
        yield Unsafe(
            "MAIL_SERVER", "set one: without it nobody gets codes for registration or a new password."
        )
    if not settings.rate_limits:
        yield Unsafe("RATE_LIMITS", "turn them on, unless a gateway in front holds requests to limits.")
    if settings.admins_need_second_factor == "off":
        yield Unsafe("ADMINS_NEED_SECOND_FACTOR", "an administrator's password alone opens everything.")
    if settings.backup_schedule == "off":
        yield Unsafe("BACKUP_SCHEDULE", "no backups are made by themselves.")


def _of_stores(settings: Settings) -> Iterator[Unsafe]:
    database = urlsplit(settings.database_uri)
    if database.scheme.startswith("mysql"):
        password = unquote(database.password or "")
        if password.lower() in DEFAULT_PASSWORDS or password == unquote(database.username or ""):
            yield Unsafe(
                "DATABASE_URL", "the password is empty, a default, or the user's name.", refused=True
            )
        elif (database.username or "") == "root":
            yield Unsafe(
                "DATABASE_URL", "use an account of its own that has rights on this database alone, not root."
            )
    redis = urlsplit(settings.redis_url)
    if (
        settings.redis_url
        and redis.scheme != "unix"
        and not redis.password
        and redis.hostname not in LOOPBACK
    ):
        yield Unsafe(
            "REDIS_URL",
            "give it a password (redis://:password@host:6379/0): whoever reaches it may change it.",
        )
    if settings.web_concurrency > 1 and not settings.redis_url:
        yield Unsafe(
            "REDIS_URL",
            "with several processes each counts its limits alone, so that they are so many times wider.",
        )
