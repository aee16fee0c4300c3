"""What is wrong with proposed settings: judged by the model itself, told in the reader's language."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError

from webapp.config import Settings
from webapp.errors import Conflict, Invalid


class SettingsInvalid(Invalid):
    """Values do not fit; `faults` has a sentence for each setting at fault."""

    def __init__(self, faults: dict[str, str]) -> None:
        name, sentence = next(iter(faults.items()))
        errors = {name: [told] for name, told in faults.items()}
        super().__init__(sentence, field=name, code="setting_invalid", errors=errors)
        self.faults = faults


class SettingsConflict(Conflict):
    """Somebody changed these settings meanwhile; `faults` has a sentence for each of them."""

    def __init__(self, faults: dict[str, str]) -> None:
        name, sentence = next(iter(faults.items()))
        errors = {name: [told] for name, told in faults.items()}
        super().__init__(sentence, field=name, code="setting_changed_meanwhile", errors=errors)
        self.faults = faults


# Faults that concern the whole model are raised there in English; each belongs to one setting.
_WHOLE = {
    "zhipuai_api_key": _l("A Zhipu key has the form id.secret, with one dot."),
    "mail_use_ssl": _l("Choose one of the two: STARTTLS (port 587), or TLS from the first byte (port 465)."),
    "mail_server": _l(
        "A server in production needs an SMTP server, or nobody can register or reset a password."
    ),
    "default_timezone": _l("Name a time zone as in Asia/Shanghai, or UTC."),
    "mail_sender": _l("Give an e-mail address, such as tools@example.com."),
    "task_failures_to": _l("Give e-mail addresses, one a line, such as ops@example.com."),
    "model_prices": _l("Write each as model=input/output, such as glm-4-plus=5/5, with decimal points."),
    "zhipuai_base_url": _l("Give a whole address, such as https://example.com."),
    "openai_compatible_base_url": _l("Give a whole address, such as https://example.com."),
}

# Faults of single values, by the names that pydantic gives them, with the bounds it tells.
_SINGLE = {
    "int_parsing": _l("Give a whole number."),
    "int_from_float": _l("Give a whole number."),
    "float_parsing": _l("Give a number."),
    "greater_than_equal": _l("Give at least %(ge)s."),
    "greater_than": _l("Give more than %(gt)s."),
    "less_than_equal": _l("Give at most %(le)s."),
    "string_too_short": _l("This cannot be empty."),
    "string_too_long": _l("This is too long: at most %(max_length)s characters."),
    "string_pattern_mismatch": _l("This is not written the way it has to be; see the explanation."),
    "literal_error": _l("Choose one of the values offered."),
}


def judged(base: Settings, values: dict[str, Any]) -> Settings:
    """Return the base with these values over it; raises SettingsInvalid naming every one that does not fit."""
    faults: dict[str, str] = {}
    while True:
        try:
            settings = checked(base, values)
        except ValidationError as error:
            found = _in_words(error)
            # Those of the whole model show only once the single values are right.
            values = {name: value for name, value in values.items() if name not in found}
            new = {name: sentence for name, sentence in found.items() if name not in faults}
            faults |= new
            if not new:
                raise SettingsInvalid(faults) from None
        else:
            if faults:
                raise SettingsInvalid(faults)
            return settings


def checked(base: Settings, values: dict[str, Any]) -> Settings:
    """Return the base with these values, judged by the rules of the settings; raises pydantic's ValidationError."""
    current = {name: getattr(base, name) for name in type(base).model_fields}
    return type(base).model_validate(current | values)


def _in_words(error: ValidationError) -> dict[str, str]:
    faults: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        if fault["loc"]:
            faults.setdefault(str(fault["loc"][0]).lower(), _sentence(dict(fault)))
            continue
        for line in str(fault["ctx"]["error"]).splitlines():
            name, _colon, sentence = line.partition(": ")
            faults[name.lower()] = str(_WHOLE.get(name.lower(), sentence))
    return faults


def _sentence(fault: dict[str, Any]) -> str:
    bounds = fault.get("ctx", {})
    if fault["type"] == "value_error":
        return str(bounds["error"])
    sentence = _SINGLE.get(fault["type"])
    return str(_("This value does not fit.") if sentence is None else sentence % bounds)
