"""The test of a provider: it works or it does not, and nothing more is told (M6)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.fakes.running import FakeUpstream
from tests.pages import PageClient
from tests.people import add_admin, sign_in_admin
from webapp.audit.models import AuditEntry
from webapp.config import Settings
from webapp.database import db
from webapp.llm import trials

URL = "/admin/providers/"
GOOD, LONG = "good?tokens=5", "long?tokens=100000&rate=50&key=long"
BAD = [
    "no?status=401",
    "no?status=404",
    "no?status=503",
    "no?mode=html",
    "no?mode=refuse",
    "no?mode=hugeline",
]
KEY = "s3cret-of-the-test"


@pytest.fixture
def settings(instance: Path, upstream: FakeUpstream) -> Settings:
    return make_settings(
        instance,
        openai_compatible_base_url=upstream.openai_url,
        openai_compatible_api_key=KEY,
        openai_compatible_models=(GOOD, LONG, "hang?mode=hang", *BAD),
        llm_outbound_allow_hosts=(upstream.host,),
        rate_limits=True,
    )


def ask(client: PageClient, model: str) -> str:
    response = client.submit(URL + "test", {"model": model}, page=URL)
    assert response.status_code == 200, response.text
    note = re.search(r'<div class="note (?:ok|bad)".*?<p>(.*?)</p>', response.text, re.DOTALL)
    assert note
    return note[1].strip()


def test_a_model_that_answers(app: Flask, admin_client: PageClient) -> None:
    assert ask(admin_client, GOOD).endswith("answers.")
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "provider:tested")).one()
        assert json.loads(entry.after) == {"model": GOOD, "works": True}


def test_only_the_beginning_of_an_answer_is_read(admin_client: PageClient, upstream: FakeUpstream) -> None:
    assert ask(admin_client, LONG).endswith("answers.")
    upstream.wait_until(lambda: upstream.ended("long").get("left", 0) == 1)
    (call,) = upstream.calls("long")
    assert call["body"]["max_tokens"] == trials.MAX_TOKENS


def test_every_failure_is_told_in_the_same_words(app: Flask, admin: object) -> None:
    del admin
    told = set()
    for number, model in enumerate(BAD):
        client = sign_in_admin(app, add_admin(app, f"admin.{number}"))  # the limit is by administrator
        told.add(ask(client, model).replace(model, "").replace(model.replace("&", "&amp;"), ""))
    assert len(told) == 1, told


@pytest.mark.slow
def test_a_silent_provider_is_given_up_after_ten_seconds(admin_client: PageClient) -> None:
    assert "did not answer" in ask(admin_client, "hang?mode=hang")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://169.254.169.254/v1", "http://[::1]:1/v1"])
def test_addresses_inside_are_told_no_differently(instance: Path, url: str) -> None:
    """What is closed, what is forbidden, and what does not exist look alike from the page."""
    from tests.conftest import running

    changed = make_settings(instance, openai_compatible_base_url=url, openai_compatible_models=("m",))
    for app in running(changed):
        client = sign_in_admin(app, add_admin(app, "mei.chen"))
        assert ask(client, "m") == "m did not answer. Check address, key and the name of the model."


def test_a_model_that_is_not_offered(admin_client: PageClient) -> None:
    response = admin_client.submit(URL + "test", {"model": "other"}, page=URL)
    assert response.status_code == 422


def test_tries_are_limited(admin_client: PageClient) -> None:
    codes = [
        admin_client.submit(URL + "test", {"model": "other"}, page=URL).status_code for _number in range(6)
    ]
    assert codes == [422] * 5 + [429]


@pytest.mark.parametrize(("role", "reads"), [("admin", 200), ("auditor", 200), ("operator", 403)])
def test_roles(app: Flask, role: str, reads: int) -> None:
    client = sign_in_admin(app, add_admin(app, f"of.{role}", role))
    page = client.get(URL)
    assert page.status_code == reads
    assert KEY not in page.text
    token = client.csrf_token("/admin/account") if reads != 200 else client.csrf_token(URL)
    assert client.post(URL + "test", data={"csrf_token": token, "model": GOOD}).status_code == 403


def test_the_settings_lead_there(admin_client: PageClient) -> None:
    assert f'href="{URL}"' in admin_client.get("/admin/settings/?group=models").text
