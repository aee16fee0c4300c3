"""Every answer of the API that a test gets is held to the description: its status is one of those told, and it fits."""

from __future__ import annotations

from typing import Any

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from webapp.web.api import Contract
from webapp.web.api.openapi import REFUSAL, document
from webapp.web.api.routes import contract_of
from webapp.web.requests import API_PREFIXES

EVERYWHERE = {400, 404, 405, 413}  # of an unknown host or address, or a body beyond the limit
_described: dict[str, dict[str, Any]] = {}


def check(app: Flask, answer: TestResponse) -> None:
    """Raise AssertionError where an answer is not as described."""
    path, method, status = answer.request.path, answer.request.method, answer.status_code
    if not path.startswith(API_PREFIXES) or (status == 204 and method == "OPTIONS"):
        return
    assert answer.headers["X-Request-Id"]
    contract = _contract(app, path, method)
    if contract is None or (status in EVERYWHERE and str(status) not in _operation(contract)["responses"]):
        if not path.startswith("/v1/"):
            Draft202012Validator(REFUSAL).validate(answer.get_json())
        return
    responses = _operation(contract)["responses"]
    case = f"{method} {path} answers {status}"
    assert str(status) in responses, f"{case}, which is not described"
    content = responses[str(status)]["content"]
    assert answer.mimetype in content or "*/*" in content, f"{case} as {answer.mimetype}"
    schema = content.get("application/json", {}).get("schema")
    if schema is not None and method != "HEAD":
        whole = {**schema, "components": _described[contract.endpoint]["components"]}
        Draft202012Validator(whole).validate(answer.get_json())


def _contract(app: Flask, path: str, method: str) -> Contract | None:
    try:
        endpoint, _values = app.url_map.bind("localhost").match(path, method)
    except (HTTPException, RequestRedirect):
        return None
    return contract_of(app.view_functions[endpoint])


def _operation(contract: Contract) -> dict[str, Any]:
    if contract.endpoint not in _described:
        _described[contract.endpoint] = document([contract], title="", base_url="")
    ((operations),) = _described[contract.endpoint]["paths"].values()
    found: dict[str, Any] = operations[contract.method.lower()]
    return found
