"""The whole description against the code: thousands of calls that fit it and that do not, with a fixed seed.

No call may fail, answer a status, a type or a body that is not described, take what does not fit, or take a call
without its token.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from unittest import SkipTest

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup

from tests.api.calling import data_of
from tests.conftest import make_settings, running
from tests.people import add_admin, add_user

EXAMPLES = 6
PARTS = 4  # which run side by side
# What fits the description may still be refused with 422: a password that is too common, a zone there is not.
LEFT_OUT = {"positive_data_acceptance"}
FIXED: Final[dict[str, Any]] = {
    "max_examples": EXAMPLES,
    "derandomize": True,
    "database": None,
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


@pytest.fixture(scope="module")
def whole_app(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[Flask]:
    """An application for all calls."""
    folder = tmp_path_factory.mktemp("schemathesis")
    shutil.copy(template_database, folder / "agent-tools.db")
    for app in running(make_settings(folder, log_level="ERROR")):
        app.config["PROPAGATE_EXCEPTIONS"] = False
        yield app


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_code_does_what_the_description_says(whole_app: Flask, part: int) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", whole_app)
    schema.config.checks.negative_data_rejection.expected_statuses.append("413")
    left_out = [CHECKS.get_one(name) for name in LEFT_OUT]
    faults: list[str] = []
    calls: list[str] = []
    for number, result in enumerate(schema.get_all_operations()):
        operation = result.ok()
        if number % PARTS != part:
            continue
        headers = _headers(whole_app, operation.path, number)
        for mode in GenerationMode:
            try:
                _try(operation.as_strategy(mode), headers, left_out, calls)
            except (Unsatisfiable, SkipTest):
                continue  # nothing is sent with this one, so nothing can be wrong with it
            except (FailureGroup, Failure) as error:
                faults.append(f"{operation.label}, {mode.value}: {_words(error)}")
    assert not faults, "\n\n".join(faults)
    assert len(calls) > EXAMPLES * 10


def _try(cases: SearchStrategy[Case], headers: dict[str, str], left_out: list[Any], calls: list[str]) -> None:
    @hypothesis_settings(**FIXED)
    @given(case=cases)
    def call(case: Case) -> None:
        calls.append(case.operation.label)
        case.call_and_validate(headers=headers, excluded_checks=left_out)

    call()


def _headers(app: Flask, path: str, number: int) -> dict[str, str]:
    """Return the token of somebody new: some calls end it, and the account with it."""
    if path.startswith("/api/admin"):
        person, login = add_admin(app, f"admin.{number}"), "/api/admin/login"
    else:
        person, login = add_user(app, f"user.{number}", "Somebody"), "/api/user/login"
    body = {"username": person.username, "password": person.password}
    token = data_of(app.test_client().post(login, json=body))["token"]
    return {"Authorization": f"Bearer {token}"}


def _words(error: BaseException) -> str:
    inner = getattr(error, "exceptions", [error])
    return "\n".join(str(each)[:1500] for each in inner)
