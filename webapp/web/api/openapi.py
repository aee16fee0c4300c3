"""The description of the API (OpenAPI 3.1), made of the contracts: it says what the code does, because it is the code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from webapp.web.api.contract import Contract, Media

VERSION: Final = "3.1.0"
_PARAMETER: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
_REFERENCE: Final = "#/components/schemas/{model}"
_SENT: Final = ("PUT", "POST", "PATCH")
_WORDS: Final = {
    200: "Done.",
    201: "Made.",
    202: "Accepted; the work goes on.",
    400: "The request cannot be read.",
    401: "No token, or one that does not work here.",
    403: "The token may not do this.",
    404: "There is no such thing, or none that the caller may know of.",
    405: "This address does not accept that method.",
    409: "The state of things does not permit this.",
    413: "Too large.",
    415: "A kind of content that is not read here.",
    422: "Something in it does not fit; `data.errors` says what, by field.",
    429: "Too many calls; `Retry-After` says when to come back.",
    500: "Something broke on our side.",
    502: "A service this asks for you refused or broke off.",
    503: "Something this needs does not answer at the moment.",
    504: "A service this asks for you took too long.",
}
_HEADERS: Final = {
    "X-Request-Id": {"description": "name it when you report a problem", "schema": {"type": "string"}}
}
_INFORMATION: Final = (
    "Every answer is an envelope: `code` (the HTTP status as a string), `message`, `data`. Refusals put a stable "
    "`reason` and, by field, `errors` into `data`. Send a token as `Authorization: Bearer at_…`: an API token from your "
    "profile, or a login token from `POST /api/user/login`."
)
REFUSAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["code", "message", "data"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string", "pattern": "^[45][0-9]{2}$"},
        "message": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["reason", "request_id"],
            "additionalProperties": False,
            "properties": {
                "reason": {"type": "string"},
                "request_id": {"type": "string"},
                "errors": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def document(contracts: Iterable[Contract], *, title: str, base_url: str) -> dict[str, Any]:
    """Return the description of all routes."""
    ordered = sorted(contracts, key=lambda each: (each.tag, each.path, each.method))
    schemas = _Schemas(ordered)
    paths: dict[str, dict[str, Any]] = {}
    for contract in ordered:
        path = _PARAMETER.sub(r"{\2}", contract.path)
        paths.setdefault(path, {})[contract.method.lower()] = _operation(contract, schemas)
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": "1", "description": _INFORMATION},
        "servers": [{"url": base_url}],
        "tags": [{"name": name} for name in sorted({each.tag for each in ordered})],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions | {"Refusal": REFUSAL},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """The schemas of all models, each once."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
        for each in contracts:
            for model in (each.body, each.query):
                if model is not None:
                    wanted[(model, "validation")] = None
            if isinstance(each.answer, type):
                wanted[(each.answer, "serialization")] = None
        self._references, whole = models_json_schema(list(wanted), ref_template=_REFERENCE)
        self.definitions: dict[str, Any] = whole.get("$defs", {})

    def taken(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the reference to what is taken."""
        return dict(self._references[(model, "validation")])

    def given(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the reference to what is given."""
        return dict(self._references[(model, "serialization")])

    def fields(self, model: type[BaseModel]) -> tuple[dict[str, Any], set[str]]:
        """Return the properties of a model, and which of them are required."""
        found = self.definitions[self.taken(model)["$ref"].rsplit("/", 1)[1]]
        return found.get("properties", {}), set(found.get("required", ()))


def _operation(contract: Contract, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": contract.endpoint.removeprefix("api_"),
        "tags": [contract.tag],
        "summary": contract.summary,
        "description": "\n\n".join(filter(None, (contract.description, _needs(contract)))),
        "parameters": _parameters(contract, schemas),
        "responses": _responses(contract, schemas),
        "security": [{"bearer": []}] if contract.audience.realm else [],
    }
    if contract.body is not None:
        content = {"application/json": {"schema": schemas.taken(contract.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if contract.file is not None:
        schema = {
            "type": "object",
            "required": [contract.file],
            "additionalProperties": False,
            "properties": {contract.file: {"type": "string", "contentMediaType": "application/octet-stream"}},
        }
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return operation


def _needs(contract: Contract) -> str:
    audience = contract.audience
    if audience.realm == "user" and not audience.scope:
        return "Needs a login token; no API token will do."
    if audience.realm == "user":
        return f"Needs a login token, or an API token with the scope `{audience.scope}`."
    if audience.permission:
        return f"Needs the login token of an administrator with the permission `{audience.permission}`."
    return "Needs the login token of an administrator." if audience.realm == "admin" else ""


def _parameters(contract: Contract, schemas: _Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if kind == "int" else "string"},
        }
        for kind, name in _PARAMETER.findall(contract.path)
    ]
    if contract.query is not None:
        properties, required = schemas.fields(contract.query)
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in properties.items()
        ]
    if contract.idempotent:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "repeat a call with the same key, and it is carried out once",
                "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
            }
        )
    return found


def statuses(contract: Contract) -> list[int]:
    """Return with which statuses the route may refuse."""
    found = {429, 500, 503, *contract.refusals, 422 if contract.problem is None else 400}
    if contract.audience.realm:
        found |= {401, 403}
    if contract.method in _SENT:
        found |= {400, 413, 415}
    if "<" in contract.path:
        found.add(404)
    if contract.idempotent:
        found.add(409)
    return sorted(found)


def _responses(contract: Contract, schemas: _Schemas) -> dict[str, Any]:
    told = {str(contract.status): _success(contract, schemas)}
    refusal = contract.problem or {"$ref": _REFERENCE.format(model="Refusal")}
    for status in statuses(contract):
        content = {"application/json": {"schema": dict(refusal)}}
        told[str(status)] = {"description": _WORDS[status], "headers": _HEADERS, "content": content}
    return told


def _success(contract: Contract, schemas: _Schemas) -> dict[str, Any]:
    words = _WORDS.get(contract.status, "Done.")
    if isinstance(contract.answer, Media):
        content: dict[str, Any] = {contract.answer.type: {}}
        return {"description": contract.answer.description or words, "headers": _HEADERS, "content": content}
    data = {"type": "null"} if contract.answer is None else schemas.given(contract.answer)
    schema = data
    if contract.enveloped:
        schema = {
            "type": "object",
            "required": ["code", "message", "data"],
            "additionalProperties": False,
            "properties": {
                "code": {"const": str(contract.status)},
                "message": {"type": "string"},
                "data": data,
            },
        }
    content = {"application/json": {"schema": schema}}
    if contract.also is not None:
        content[contract.also.type] = {}
    return {"description": words, "headers": _HEADERS, "content": content}
