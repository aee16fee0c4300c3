"""G1, H2, H3: every route, every verb, everybody; with one's own things, those of others, and ids that do not exist."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.access.api_table import API_MATRIX
from tests.access.people import ADMINS, EVERYBODY, USERS, Cast
from tests.access.table import MATRIX, PUBLIC, USER, Row
from tests.access.things import ABSENT, EVERYBODYS, MAKERS, NOT_THERE
from tests.conftest import make_settings, running
from webapp.admins.permissions import BUILT_IN_ROLES, Permission
from webapp.web.guards import ANY_ADMIN, is_public, permission_of

HARMLESS = {"OPTIONS", "HEAD"}
REFUSED = {401, 403, 404, 405, 409, 429}


@pytest.fixture(scope="module")
def whole_app(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[Flask]:
    """An application for the whole matrix."""
    folder = tmp_path_factory.mktemp("matrix")
    shutil.copy(template_database, folder / "agent-tools.db")
    yield from running(make_settings(folder, log_level="WARNING"))


@pytest.fixture(scope="module")
def everybody(whole_app: Flask) -> Cast:
    """The people."""
    return Cast(whole_app)


def test_every_route_has_a_row_and_every_row_a_route(whole_app: Flask) -> None:
    endpoints = {rule.endpoint for rule in whole_app.url_map.iter_rules()}
    rows = set(MATRIX) | set(API_MATRIX)
    assert not endpoints - rows, "these routes are in no row of tests/access/table.py or api_table.py"
    assert not rows - endpoints, "these rows have no route"


def test_rows_say_what_the_views_declare(whole_app: Flask) -> None:
    """A view whose guard is changed by mistake differs from its row."""
    for endpoint, row in MATRIX.items():
        view = whole_app.view_functions[endpoint]
        assert is_public(view) == (row.audience == PUBLIC), endpoint
        if row.audience not in {PUBLIC, USER}:
            assert permission_of(view) == row.audience, endpoint


def test_every_permission_asked_for_is_in_the_table(whole_app: Flask) -> None:
    asked = {permission_of(view) for view in whole_app.view_functions.values()} - {None, ANY_ADMIN}
    assert asked <= {each.value for each in Permission}


def test_ids_in_addresses_have_makers(whole_app: Flask) -> None:
    for rule in whole_app.url_map.iter_rules():
        row = MATRIX.get(rule.endpoint) or API_MATRIX.get(rule.endpoint)
        assert row is None or bool(rule.arguments) == bool(row.thing), (
            f"{rule.rule}: name what makes its things"
        )
        assert row is None or not row.thing or row.thing in MAKERS


@pytest.mark.parametrize("endpoint", sorted(MATRIX))
def test_everybody(everybody: Cast, endpoint: str) -> None:
    row = MATRIX[endpoint]
    for rule in everybody.app.url_map.iter_rules():
        if rule.endpoint == endpoint:
            for method in sorted((rule.methods or set()) - HARMLESS):
                _try(everybody, rule, method, row)


def _try(cast: Cast, rule: Rule, method: str, row: Row) -> None:
    """Try one route with one verb: those first who get nothing, so that what they ask for is still there."""
    values = MAKERS[row.thing](cast) if row.thing else {}
    for name in sorted(EVERYBODY, key=lambda each: _expected(each, row) == "in"):
        expected = _expected(name, row)
        if row.thing and method == "POST" and expected == "in":
            values = MAKERS[row.thing](cast)  # the one before may have used it up
        answer = _call(cast, name, rule, method, values, anew=row.ends and expected == "in")
        _judge(
            answer, "absent" if expected == "in" and row.thing in NOT_THERE else expected, row, (name, method)
        )
        if row.thing and row.thing not in NOT_THERE and expected in {"in", "absent"}:
            absent = _call(cast, name, rule, method, dict.fromkeys(values, ABSENT))
            _judge(absent, "absent", row, (name, method, "absent id"))


def _expected(name: str, row: Row) -> str:
    """Return `in`, `out` (asked to sign in), `refused`, or `absent` (as if it did not exist)."""
    if row.audience == PUBLIC:
        return "in"
    if row.audience == USER:
        if name not in USERS:
            return "out"
        return "absent" if name == "other" and row.thing and row.thing not in EVERYBODYS else "in"
    if name not in ADMINS:
        return "out"
    may = row.audience == ANY_ADMIN or row.audience in BUILT_IN_ROLES[name]
    return "in" if may else "refused"


def _call(
    cast: Cast, name: str, rule: Rule, method: str, values: dict[str, str], *, anew: bool = False
) -> TestResponse:
    client = cast.client(name, anew=anew)
    with cast.app.test_request_context():
        url = rule.build(values, append_unknown=False)[1]  # type: ignore[index]
    data = {"csrf_token": cast.token(name, client)} if method == "POST" else None
    return client.open(url, method=method, data=data, headers={"Accept": "text/html"}, buffered=True)


def _judge(answer: TestResponse, expected: str, row: Row, case: tuple[str, ...]) -> None:
    told, case = answer.status_code, (*case, str(answer.status_code))
    to_sign_in = told == 302 and answer.location.split("?")[0] in {"/login", "/admin/login"}
    if expected == "out":
        assert told == 401 or to_sign_in, case
    elif expected == "refused":
        assert told == 403, case
    elif expected == "absent":
        assert told == 404, case
    else:
        assert told < 500, case
        assert not to_sign_in or row.audience == PUBLIC or row.ends, case
        assert told not in REFUSED - row.may_be, case
