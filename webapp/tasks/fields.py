"""Parameters of a function as fields of a form: from their types to what is typed, and back."""

from __future__ import annotations

import datetime as dt
import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, Literal, Union, get_args, get_origin

from flask_babel import get_timezone
from pydantic.fields import FieldInfo
from wtforms import BooleanField, Field, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from webapp.tasks.registry import TaskFunction

PREFIX: Final = "arg_"
OMITTED: Final = object()  # nothing was typed: the function's default holds


class Kind(StrEnum):
    """How a parameter is typed."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"
    DATE = "date"
    TIME = "time"
    MOMENT = "moment"
    JSON = "json"  # whatever has no field of its own, such as a list


_KINDS: Final[dict[Any, Kind]] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    Decimal: Kind.NUMBER,
    bool: Kind.YES_NO,
    dt.date: Kind.DATE,
    dt.time: Kind.TIME,
    dt.datetime: Kind.MOMENT,
}
_INPUTS: Final[dict[Kind, dict[str, str]]] = {
    Kind.INTEGER: {"inputmode": "numeric"},
    Kind.NUMBER: {"inputmode": "decimal"},
    Kind.DATE: {"type": "date"},
    Kind.TIME: {"type": "time"},
    Kind.MOMENT: {"type": "datetime-local"},
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function; `choices` maps what a form sends to values."""

    name: str
    kind: Kind
    help: str
    required: bool
    default: Any
    choices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What its field is called."""
        return self.name.replace("_", " ").capitalize()

    def field(self) -> Field:
        """Return an unbound field; what is typed stays as it is, whether it fits or not."""
        if self.kind is Kind.YES_NO:
            return BooleanField(self.label, default=bool(self.default))
        if self.kind is Kind.CHOICE:
            offered = [SelectChoice(sent, sent) for sent in self.choices]
            return SelectField(
                self.label,
                choices=offered if self.required else [SelectChoice("", "–"), *offered],
                default=self.shown(self.default),
                validate_choice=False,
            )
        given = {"default": self.shown(self.default), "render_kw": _INPUTS.get(self.kind, {})}
        return (TextAreaField if self.kind is Kind.JSON else StringField)(self.label, **given)

    def shown(self, value: Any) -> str:
        """Return a value, JSON-able or not, as its field shows it."""
        if value is None:
            return ""
        if isinstance(value, Enum):
            value = value.value
        if self.kind is Kind.MOMENT:
            moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
            if moment.tzinfo is not None:
                moment = moment.astimezone(get_timezone())
            return f"{moment:%Y-%m-%dT%H:%M}"
        return json.dumps(value, ensure_ascii=False) if self.kind is Kind.JSON else str(value)

    def typed(self, data: Any) -> Any:
        """Return what a field's data stands for, as the function's check takes it; OMITTED for nothing."""
        if self.kind is Kind.YES_NO:
            return bool(data)
        text = data or "" if self.kind is Kind.TEXT else (data or "").strip()
        if text == "":
            return OMITTED
        if self.kind is Kind.CHOICE:
            return self.choices.get(text, text)
        if self.kind is Kind.MOMENT:
            return _with_zone(text)
        if self.kind is Kind.JSON:
            return _parsed(text)
        return text


def parameters_of(found: TaskFunction) -> list[Parameter]:
    """Return the parameters of a function, in order."""
    return [_parameter(name, info) for name, info in found.parameters.model_fields.items()]


def _parameter(name: str, info: FieldInfo) -> Parameter:
    inner = _without_none(info.annotation)
    choices: dict[str, Any] = {}
    if get_origin(inner) is Literal:
        kind, choices = Kind.CHOICE, {str(value): value for value in get_args(inner)}
    elif isinstance(inner, type) and issubclass(inner, Enum):
        kind, choices = Kind.CHOICE, {str(each.value): each.value for each in inner}
    else:
        kind = _KINDS.get(inner, Kind.JSON)
    required = info.is_required()
    default = None if required else info.get_default(call_default_factory=True)
    return Parameter(name, kind, info.description or "", required, default, choices)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        others = [each for each in get_args(annotation) if each is not type(None)]
        return others[0] if len(others) == 1 else annotation
    return annotation


def _with_zone(text: str) -> str:
    """Return a time with the reader's zone, in which it was typed; text that is none stays as it is."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=get_timezone())).isoformat()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text  # the check says that it does not fit
