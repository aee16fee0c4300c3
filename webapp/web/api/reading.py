"""Reading what a request brings, strictly: nothing undeclared, nothing twice, nothing of another type."""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from flask import request
from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.datastructures import FileStorage

from webapp.errors import AppError, Invalid, Unsupported
from webapp.web.api import faults
from webapp.web.api.contract import Body, Query

B = TypeVar("B", bound=Body)
Q = TypeVar("Q", bound=Query)

_UTF8: Final = frozenset({"", "utf-8", "utf8"})


class BadRequest(AppError):
    """The request cannot be read at all."""

    status = 400
    default_code = "bad_request"


def body_of(model: type[B]) -> B:
    """Return the JSON body; raises BadRequest, Unsupported or Invalid."""
    kind, charset = request.mimetype, request.mimetype_params.get("charset", "").lower()
    if kind != "application/json" or charset not in _UTF8:
        sentence = _("Send JSON in UTF-8, with the header Content-Type: application/json.")
        raise Unsupported(sentence)
    raw = request.get_data(cache=True)
    _check_json(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise faults.refusal(error) from None


def query_of(model: type[Q] | None) -> Q | None:
    """Return the query; raises Invalid for what is unknown or repeated."""
    given = dict(request.args.lists())
    repeated = {name[: faults.NAME_LENGTH]: [_("Give this once.")] for name in given if len(given[name]) > 1}
    if repeated:
        raise faults.several(repeated)
    if model is None:
        if given:
            unknown = _("There is no field of this name here.")
            raise faults.several({name[: faults.NAME_LENGTH]: [unknown] for name in given})
        return None
    try:
        return model.model_validate_strings({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise faults.refusal(error) from None


def file_of(name: str) -> FileStorage:
    """Return the one file of a multipart body; raises Unsupported or Invalid."""
    if request.mimetype != "multipart/form-data":
        raise Unsupported(_("Send the file as multipart/form-data."))
    parts = [*request.files.items(multi=True)]
    others = {part or "" for part, _file in parts if part != name} | {part or "" for part in request.form}
    if others:
        unknown = _("There is no field of this name here.")
        raise faults.several({other[: faults.NAME_LENGTH]: [unknown] for other in others})
    if len(parts) != 1:
        sentence = _("Give this once.") if parts else _("Choose a file.")
        raise Invalid(sentence, field=name)
    return parts[0][1]


def nothing_more() -> None:
    """Refuse a body where none is read: what nobody looks at must not pass as accepted."""
    if request.get_data(cache=True) not in {b"", b"{}"}:
        raise Invalid(_("This takes no body."), field="body")


def _check_json(raw: bytes) -> None:
    try:
        json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadRequest(_("This is not JSON that can be read.")) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)
