"""G1, I3, I5 in the token's place: every route of the API, everybody's token; own things, others', and absent ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.access.api_table import API_MATRIX, ApiRow
from tests.access.callers import CALLERS, STRANGERS, USERS, Callers
from tests.access.people import ADMINS, Cast
from tests.access.test_matrix import REFUSED
from tests.access.things import ABSENT, EVERYBODYS, MAKERS, NOT_THERE
from tests.conftest import make_settings, running
from webapp.admins.permissions import BUILT_IN_ROLES, Permission
from webapp.identity.rules import Scope
from webapp.web.api import ANYBODY, Contract
from webapp.web.api.routes import contracts_of


@pytest.fixture(scope="module")
def api_app(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[Flask]:
    """An application for the whole matrix."""
    folder = tmp_path_factory.mktemp("api-matrix")
    shutil.copy(template_database, folder / "agent-tools.db")
    yield from running(make_settings(folder, log_level="WARNING"))


@pytest.fixture(scope="module")
def callers(api_app: Flask) -> Callers:
    """Everybody with a token."""
    return Callers(Cast(api_app))


def test_rows_say_what_the_contracts_declare(api_app: Flask) -> None:
    for endpoint, row in API_MATRIX.items():
        assert contracts_of(api_app)[endpoint].audience == row.audience, endpoint


def test_scopes_and_permissions_are_known(api_app: Flask) -> None:
    for contract in contracts_of(api_app).values():
        assert contract.audience.scope in {"", *(each.value for each in Scope)}
        assert contract.audience.permission in {"", *(each.value for each in Permission)}


@pytest.mark.parametrize("endpoint", sorted(API_MATRIX))
def test_everybody(callers: Callers, endpoint: str) -> None:
    contract, row = contracts_of(callers.app)[endpoint], API_MATRIX[endpoint]
    values = MAKERS[row.thing](callers.cast) if row.thing else {}
    for name in sorted(CALLERS, key=lambda each: _expected(each, row) == "in"):
        expected = _expected(name, row)
        if row.thing and contract.method != "GET" and expected == "in":
            values = MAKERS[row.thing](callers.cast)
        there = "absent" if expected == "in" and row.thing in NOT_THERE else expected
        _judge(
            _call(callers, name, contract, values, row, anew=row.ends and expected == "in"), there, row, name
        )
        if row.thing and row.thing not in NOT_THERE and expected in {"in", "absent"}:
            absent = _call(callers, name, contract, dict.fromkeys(values, ABSENT), row)
            _judge(absent, "absent", row, f"{name}, absent id")


def _expected(name: str, row: ApiRow) -> str:
    audience = row.audience
    if audience == ANYBODY:
        return "in"
    if name in STRANGERS:
        return "out"
    if audience.realm == "admin":
        may = name in ADMINS and (not audience.permission or audience.permission in BUILT_IN_ROLES[name])
        return "in" if may else "refused"
    if name not in USERS or name == "other scopes" or (name == "api token" and not audience.scope):
        return "refused"
    return "absent" if name == "other" and row.thing and row.thing not in EVERYBODYS else "in"


def _call(
    callers: Callers,
    name: str,
    contract: Contract,
    values: dict[str, str],
    row: ApiRow,
    *,
    anew: bool = False,
) -> TestResponse:
    with callers.app.test_request_context():
        rule = next(r for r in callers.app.url_map.iter_rules() if r.endpoint == contract.endpoint)
        url = rule.build(values, append_unknown=False)[1]  # type: ignore[index]
    client = callers.cast.client("user") if name == "cookie" else callers.app.test_client()
    json = dict(row.body) if contract.body is not None else None
    headers = callers.headers(name, row.audience, anew=anew)
    return client.open(url, method=contract.method, json=json, headers=headers, buffered=True)


def _judge(answer: TestResponse, expected: str, row: ApiRow, name: str) -> None:
    told, case = answer.status_code, (name, answer.status, answer.data[:300])
    if expected == "out":
        assert told == 401, case
    elif expected == "refused":
        assert told == 403, case
    elif expected == "absent":
        assert told == 404, case
    else:
        assert told < 500, case
        assert told not in REFUSED - row.may_be, case
