"""What does not fit in a request, in words and by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask_babel import gettext as _
from pydantic import ValidationError

from webapp.errors import Invalid

FAULTS_TOLD: Final = 20
NAME_LENGTH: Final = 100


def refusal(error: ValidationError) -> Invalid:
    """Return the refusal of a body or a query, with a sentence for each field."""
    errors: dict[str, list[str]] = {}
    for fault in error.errors(include_url=False, include_input=False)[:FAULTS_TOLD]:
        name = ".".join(str(part) for part in fault["loc"])[:NAME_LENGTH] or "body"
        errors.setdefault(name, []).append(_sentence(fault["type"], fault.get("ctx") or {}))
    return several(errors)


def several(errors: dict[str, list[str]]) -> Invalid:
    """Return the refusal of some fields."""
    return Invalid(_("Some of what you sent does not fit; see the errors."), errors=errors)


def _sentence(kind: str, context: dict[str, Any]) -> str:
    words = _WORDS.get(kind)
    return words(context) if words else _("This does not fit.")


_WORDS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "missing": lambda _c: _("Fill this in."),
    "extra_forbidden": lambda _c: _("There is no field of this name here."),
    "string_type": lambda _c: _("This must be a text."),
    "string_unicode": lambda _c: _("This must be a text."),
    "int_type": lambda _c: _("This must be a whole number."),
    "int_parsing": lambda _c: _("This must be a whole number."),
    "int_parsing_size": lambda _c: _("This must be a whole number."),
    "int_from_float": lambda _c: _("This must be a whole number."),
    "float_type": lambda _c: _("This must be a number."),
    "float_parsing": lambda _c: _("This must be a number."),
    "finite_number": lambda _c: _("This must be a number."),
    "bool_type": lambda _c: _("This must be true or false."),
    "bool_parsing": lambda _c: _("This must be true or false."),
    "list_type": lambda _c: _("This must be a list."),
    "model_type": lambda _c: _("This must be an object."),
    "dict_type": lambda _c: _("This must be an object."),
    "datetime_parsing": lambda _c: _("This must be a moment, such as 2026-01-31T12:00:00Z."),
    "timezone_aware": lambda _c: _("This must be a moment, such as 2026-01-31T12:00:00Z."),
    "string_too_short": lambda c: _("This has at least %(least)s characters.", least=c["min_length"]),
    "string_too_long": lambda c: _("This has at most %(most)s characters.", most=c["max_length"]),
    "too_short": lambda c: _("This has at least %(least)s entries.", least=c["min_length"]),
    "too_long": lambda c: _("This has at most %(most)s entries.", most=c["max_length"]),
    "greater_than_equal": lambda c: _("This is at least %(least)s.", least=c["ge"]),
    "less_than_equal": lambda c: _("This is at most %(most)s.", most=c["le"]),
    "enum": lambda c: _("This is one of %(choices)s.", choices=c["expected"]),
    "literal_error": lambda c: _("This is one of %(choices)s.", choices=c["expected"]),
}
