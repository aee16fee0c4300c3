"""What kind of value each setting has, and its forms: as the model holds it, as JSON, as shown in logs."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import SecretStr

from webapp.audit.rules import MASKED
from webapp.config import Settings


class Kind(StrEnum):
    """How a setting is typed, which decides the control it gets."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    NAMES = "names"
    SECRET = "secret"  # noqa: S105


_KINDS: dict[Any, Kind] = {str: Kind.TEXT, int: Kind.WHOLE, float: Kind.NUMBER, bool: Kind.SWITCH}


def kind_of(name: str) -> Kind:
    """Return the kind of a setting, read off its field of the model."""
    annotation = Settings.model_fields[name].annotation
    if annotation is SecretStr:
        return Kind.SECRET
    if get_origin(annotation) is Literal:
        return Kind.CHOICE
    return Kind.NAMES if get_origin(annotation) is tuple else _KINDS[annotation]


def choices_of(name: str) -> tuple[str, ...]:
    """Return the values a setting of choices can have."""
    return get_args(Settings.model_fields[name].annotation)


def is_secret(name: str) -> bool:
    """Tell whether the value must never be shown."""
    return kind_of(name) is Kind.SECRET


def plain(value: Any) -> Any:
    """Return a value of the model as JSON can hold it; a secret comes out in clear."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return list(value) if isinstance(value, tuple) else value


def stored_value(value: str, secret: str | None) -> Any:
    """Return what a row of the database says; raises ValueError for broken JSON."""
    return SecretStr(secret) if secret else json.loads(value)


def shown(value: Any) -> Any:
    """Return the value for histories and logs: a secret is masked, an empty one is empty."""
    if isinstance(value, SecretStr):
        return MASKED if value.get_secret_value() else ""
    return plain(value)


def service_of(address: str) -> tuple[str, str, int | None]:
    """Return what tells one service from another: scheme, host and port of a URL, or the name of a host."""
    if "://" not in address:
        return ("", address.strip().casefold(), None)
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return ("", address, None)
    default = {"https": 443, "http": 80}.get(url.scheme)
    return (url.scheme, (url.hostname or "").casefold(), port or default)
