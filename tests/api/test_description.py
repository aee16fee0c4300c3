"""The description is the code: every route in it, nothing else, all of it valid; and the page that draws it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from tests.api.calling import plain
from tests.pages import PageClient
from webapp.web.requests import API_PREFIXES


@pytest.fixture
def described(app: Flask) -> dict[str, Any]:
    """The document as it is served."""
    answer = plain(app).get("/api/openapi.json")
    assert answer.status_code == 200
    whole: dict[str, Any] = answer.get_json()
    return whole


def test_it_equals_the_url_map(app: Flask, described: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API_PREFIXES)
        for method in (rule.methods or set()) - {"HEAD"}
    }
    told = {(path, method) for path, methods in described["paths"].items() for method in methods}
    assert told == routes


def test_the_original_routes_are_there(described: dict[str, Any]) -> None:
    for path, fields in {
        "/api/user/register": {"email", "username", "password", "verification_code"},
        "/api/user/login": {"username", "password"},
        "/api/user/password/reset": {"email", "code", "new_password"},
        "/api/admin/login": {"username", "password"},
        "/api/admin/create": {"username", "email", "password", "role"},
    }.items():
        content = described["paths"][path]["post"]["requestBody"]["content"]
        name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        assert set(described["components"]["schemas"][name]["required"]) == fields
    avatar = described["paths"]["/api/user/profile/me/avatar"]["post"]["requestBody"]["content"]
    assert list(avatar["multipart/form-data"]["schema"]["properties"]) == ["file"]


def test_every_schema_is_one_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for name in re.findall(r"'\$ref': '([^']+)'", str(described)):
        assert name.removeprefix("#/components/schemas/") in schemas, name


def test_every_route_says_what_it_does_and_who_may(described: dict[str, Any]) -> None:
    ids = []
    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            ids.append(operation["operationId"])
            assert not operation["security"] or operation["description"]
    assert len(ids) == len(set(ids))


def test_what_refuses_unknown_fields_says_so(described: dict[str, Any]) -> None:
    """Below /v1 programs made for others' doors send what those take."""
    schemas = described["components"]["schemas"]
    ours = {path: each for path, each in described["paths"].items() if path.startswith("/api/")}
    seen: set[str] = set()
    new = references(ours)
    while new:
        seen |= new
        new = references([schemas[name] for name in new]) - seen
    for name in seen:
        if schemas[name].get("type") == "object":
            assert schemas[name]["additionalProperties"] is False, name


def references(part: object) -> set[str]:
    return set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(part)))


def test_the_page_is_served_with_its_files_and_leads_to_tokens(app: Flask) -> None:
    client: PageClient = app.test_client()  # type: ignore[assignment]
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert 'href="/profile/tokens"' in page.text
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert f'"/api/docs/{name}"' in page.text
        packed = client.get(f"/api/docs/{name}", headers={"Accept-Encoding": "gzip"})
        whole = client.get(f"/api/docs/{name}")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.data) < len(whole.data) / 3
    assert client.get("/api/docs/swagger-ui-bundle.js.map").status_code == 404
    assert client.get("/api/docs/..%2findex.css").status_code == 404
