"""What does not go together in the settings of a deployment, in words."""

from __future__ import annotations

import base64
import re
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from apscheduler.triggers.cron import CronTrigger

if TYPE_CHECKING:
    from webapp.config.settings import Settings

SECRET_MIN_LENGTH: Final = 32
TOKEN_MIN_LENGTH: Final = 16
WEAK_SECRETS: Final = ("changeme", "change-me", "secret", "dev", "password", "example", "test")
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")
_ADDRESS: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
_PRICE: Final = re.compile(r"[^=\s].*=\s*\d+(\.\d+)?\s*/\s*\d+(\.\d+)?")


def faults_of(settings: Settings) -> list[str]:
    """Return every fault in words, with the name of its setting and the fix."""
    faults: list[str] = []
    if settings.profile == "production":
        faults += _production_faults(settings)
    keys = settings.encryption_keys.get_secret_value()
    if keys and not _are_keys(keys):
        faults.append(
            "ENCRYPTION_KEYS: each key is 32 bytes in URL-safe base64; make one with python -c 'from "
            "cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'."
        )
    key = settings.zhipuai_api_key.get_secret_value()
    if key and key.count(".") != 1:
        faults.append("ZHIPUAI_API_KEY: a Zhipu key has the form id.secret, with one dot.")
    faults += [*_mail_faults(settings), *_address_faults(settings), *_engine_faults(settings)]
    if 0 < len(settings.metrics_token.get_secret_value()) < TOKEN_MIN_LENGTH:
        faults.append(f"METRICS_TOKEN: give at least {TOKEN_MIN_LENGTH} random characters.")
    if settings.backup_schedule != "off" and not _is_cron(settings.backup_schedule):
        faults.append("BACKUP_SCHEDULE: give a cron expression of five fields, such as 17 3 * * *, or off.")
    if settings.default_timezone not in available_timezones():
        faults.append("DEFAULT_TIMEZONE: name a time zone as in Asia/Shanghai, or UTC.")
    faults += _list_faults(settings)
    if settings.local_model not in {"auto", "off"} and not Path(settings.local_model).is_file():
        faults.append(
            f"LOCAL_MODEL: there is no file {settings.local_model}. Use auto, off, or a path to a gguf file."
        )
    return faults


def _list_faults(settings: Settings) -> list[str]:
    faults: list[str] = []
    faults += [
        f"MODEL_PRICES: write {entry} as model=input/output, such as glm-4-plus=5/5, with decimal points."
        for entry in settings.model_prices
        if not _PRICE.fullmatch(entry)
    ]
    faults += [
        f"API_CORS_ORIGINS: write {origin} as an exact origin, such as https://app.example.com."
        for origin in settings.api_cors_origins
        if not _ORIGIN.fullmatch(origin)
    ]
    return faults


def _address_faults(settings: Settings) -> list[str]:
    faults: list[str] = []
    for name in ("public_url", "zhipuai_base_url", "openai_compatible_base_url"):
        url = urlsplit(getattr(settings, name))
        if getattr(settings, name) and (url.scheme not in {"http", "https"} or not url.hostname):
            faults.append(f"{name.upper()}: give a whole address, such as https://example.com.")
    if settings.redis_url and urlsplit(settings.redis_url).scheme not in {"redis", "rediss", "unix"}:
        faults.append("REDIS_URL: give an address such as redis://:password@host:6379/0, or leave it empty.")
    return faults


def _mail_faults(settings: Settings) -> list[str]:
    faults: list[str] = []
    if settings.mail_use_tls and settings.mail_use_ssl:
        faults.append("MAIL_USE_SSL: set only one of MAIL_USE_TLS (port 587) and MAIL_USE_SSL (port 465).")
    if "@" not in parseaddr(settings.mail_sender)[1]:
        faults.append("MAIL_SENDER: give an e-mail address, such as tools@example.com.")
    if not all(_ADDRESS.fullmatch(address) for address in settings.task_failures_to):
        faults.append("TASK_FAILURES_TO: give e-mail addresses, such as ops@example.com.")
    return faults


def _engine_faults(settings: Settings) -> list[str]:
    broker = settings.celery_broker_url or settings.redis_url
    if settings.task_engine == "celery" and urlsplit(broker).scheme not in {"redis", "rediss"}:
        name = "CELERY_BROKER_URL" if settings.celery_broker_url else "TASK_ENGINE"
        return [f"{name}: celery needs a Redis, such as REDIS_URL=redis://localhost:6379/0."]
    return []


def _production_faults(settings: Settings) -> list[str]:
    faults: list[str] = []
    secret = settings.secret_key.get_secret_value()
    if len(secret) < SECRET_MIN_LENGTH or any(secret.lower().startswith(weak) for weak in WEAK_SECRETS):
        faults.append(
            f"SECRET_KEY: production needs at least {SECRET_MIN_LENGTH} random characters; make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    if not settings.public_url.startswith("https://"):
        faults.append("PUBLIC_URL: production needs the https:// address that people use.")
    if settings.scripted_models:
        faults.append("SCRIPTED_MODELS: these are for demonstrations; turn them off in production.")
    return faults


def _is_cron(text: str) -> bool:
    try:
        CronTrigger.from_crontab(text)
    except ValueError:
        return False
    return True


def _are_keys(text: str) -> bool:
    try:
        return all(len(base64.urlsafe_b64decode(key.strip())) == 32 for key in text.split(","))
    except ValueError:
        return False
