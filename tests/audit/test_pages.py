"""The audit log's pages: filters, pages both ways, one entry, export, verifying; escaped and permissioned (O2, O5)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from tests.audit.logs import sealed, sql, write
from tests.pages import PageClient
from tests.people import Person, add_admin, sign_in_admin
from webapp.audit import reading
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.audit.names import EVENT_NAMES, KIND_NAMES, event_name
from webapp.audit.rules import Event
from webapp.audit.service import Party
from webapp.config import ROOT
from webapp.database import db

URL = "/admin/audit/"
LIN, WANG = Party("user", "lin-id", "lin.yue"), Party("user", "wang-id", "王伟")


def log(app: Flask, event: Event, **kwargs: Any) -> None:
    with app.app_context():
        audit.record_alone(event, **{"actor": LIN, **kwargs})


def found(client: PageClient, **query: str) -> list[str]:
    """Return the events a search lists."""
    page = client.get(URL, query_string=query)
    assert page.status_code == 200
    return re.findall(r'<td class="meta" title="([^"]+)"', page.text)


def ids(page: str) -> list[str]:
    return re.findall(r'<td class="first"><a href="/admin/audit/([^"]+)"', page)


class TestFilters:
    """Each one alone, and together."""

    @pytest.fixture(autouse=True)
    def _entries(self, each_app: Flask) -> None:
        self.app = each_app
        log(each_app, Event.USER_SIGNED_IN, after={"device": "Firefox"})
        log(each_app, Event.USER_SIGNED_OUT, target=WANG)
        log(each_app, Event.SETTING_CHANGED, actor=audit.SYSTEM, after={"site_name": "50%_off"})
        with time_machine.travel(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), tick=True):
            log(each_app, Event.USER_LOCKED, actor=WANG)
        self.client = sign_in_admin(each_app, add_admin(each_app, "au.ditor", "auditor"))

    @pytest.mark.parametrize(
        ("query", "events"),
        [
            ({"event": "user:signed_out"}, ["user:signed_out"]),
            ({"actor": "user:lin-id"}, ["user:signed_out", "user:signed_in"]),
            ({"actor": "LIN."}, ["user:signed_out", "user:signed_in"]),
            ({"actor": "user:wang-id"}, ["user:locked"]),
            ({"target": "user:wang-id"}, ["user:signed_out"]),
            ({"target": "王"}, ["user:signed_out"]),
            ({"q": "firefox"}, ["user:signed_in"]),
            ({"q": "50%_"}, ["setting:changed"]),
            ({"q": "50__"}, []),
            ({"q": "user signed"}, ["user:signed_out", "user:signed_in"]),
            ({"q": ":signed_"}, ["admin:signed_in", "user:signed_out", "user:signed_in"]),
            ({"q": "Signed in", "actor": "user:lin-id"}, ["user:signed_in"]),
            ({"to": "2026-03-01"}, ["user:locked"]),
            ({"from": "2026-03-01", "to": "2026-03-01"}, ["user:locked"]),
            ({"from": "2026-03-02", "to": "2026-03-02"}, []),
            ({"actor": "user:lin-id", "event": "user:signed_in"}, ["user:signed_in"]),
            ({"request_id": "none"}, []),
        ],
    )
    def test_filter(self, query: dict[str, str], events: list[str]) -> None:
        assert found(self.client, **query) == events

    def test_words_do_not_go_back_for_ever_unless_a_date_is_given(self) -> None:
        assert found(self.client, actor="王") == []
        assert "are looked for back to" in self.client.get(URL, query_string={"actor": "王"}).text
        assert found(self.client, actor="王", **{"from": "2026-01-01"}) == ["user:locked"]

    def test_address_and_request(self) -> None:
        with self.app.app_context():
            entry = db.session.scalars(
                select(AuditEntry).where(AuditEntry.event == Event.ADMIN_SIGNED_IN.value)
            ).one()
        assert found(self.client, request_id=entry.request_id) == ["admin:signed_in"]
        assert found(self.client, address="127.0.0.1")[-1] == "admin:signed_in"

    @pytest.mark.parametrize(
        "query", [{"event": "no:such"}, {"from": "soon"}, {"to": "2026-13-41"}, {"after": "x"}]
    )
    def test_what_cannot_be_is_refused_in_words(self, query: dict[str, str]) -> None:
        assert self.client.get(URL, query_string=query).status_code == 422


def test_every_event_has_a_name_in_both_languages(app: Flask) -> None:
    assert set(EVENT_NAMES) == {event.value for event in Event}
    for locale in ("en", "zh_CN"):
        with app.app_context(), force_locale(locale):
            told = [event_name(event.value) for event in Event]
        assert len(set(told)) == len(told)
        assert not [name for name in told if ":" in name or name.isascii() != (locale == "en")]


def test_everybody_who_is_named_in_the_code_has_a_name() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "webapp").rglob("*.py"))
    assert set(re.findall(r'Party\(\s*"(\w+)"', code)) == set(KIND_NAMES)


def test_events_are_told_and_found_in_the_readers_language(app: Flask, admin_client: PageClient) -> None:
    log(app, Event.USER_SUSPENDED)
    admin_client.submit("/admin/account/language", {"language": "zh_CN"}, page="/admin/audit/")
    page = admin_client.get(URL, query_string={"q": "已暂停"}).text
    assert "用户已暂停" in page
    assert re.findall(r'<td class="meta" title="([^"]+)"', page) == ["user:suspended"]
    entry = admin_client.get(URL + ids(page)[0]).text
    assert re.search("<h1>[^<]*用户已暂停", entry)
    assert "<code>user:suspended</code>" in entry


def test_pages_both_ways(app: Flask, admin_client: PageClient) -> None:
    with app.app_context():
        write(2 * reading.PAGE + 5)
    first = admin_client.get(URL).text
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    second = admin_client.get(older[1].replace("&amp;", "&")).text
    newer = re.search(r'href="([^"]+)" rel="prev"', second)
    assert newer
    assert len(ids(first)) == len(ids(second)) == reading.PAGE
    assert not set(ids(first)) & set(ids(second))
    assert ids(admin_client.get(newer[1].replace("&amp;", "&")).text) == ids(first)


def test_entry_shows_both_sides_and_its_seal(app: Flask, admin_client: PageClient) -> None:
    with app.app_context():
        audit_change = {
            "before": {"site_name": "Old", "tries": 3},
            "after": {"site_name": "New", "list": ["a"]},
        }
        write(1, actor=LIN, target=WANG, **audit_change)
        entry_id = db.session.scalars(
            select(AuditEntry.public_id).where(AuditEntry.target_id == "wang-id")
        ).one()
    page = admin_client.get(URL + entry_id).text
    for word in ("Old", "New", "tries", "[&#34;a&#34;]", "王伟", "Not sealed yet"):
        assert word in page
    with app.app_context():
        sealed(0)
    assert "No. " in admin_client.get(URL + entry_id).text


def test_absent_entry(admin_client: PageClient) -> None:
    assert admin_client.get(URL + "x" * 22).status_code == 404


def test_nothing_in_an_entry_becomes_markup_or_another_line(app: Flask, admin_client: PageClient) -> None:
    evil = "<script>alert(1)</script>\r\n2026-01-01,user:signed_in,\u202eevil\x00\x1b[31m"
    with app.app_context():
        write(1, actor=Party("user", "evil-id", evil), target=Party("file", "", evil), after={evil: evil})
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.actor_id == "evil-id")).one()
        entry_id = entry.public_id
        for sign in ("\r", "\n", "\x00", "\x1b", "\u202e"):
            assert sign not in entry.actor_name
    for path in (URL, URL + entry_id):
        page = admin_client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
    text = export(admin_client, "csv").text
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")))
    assert {len(row) for row in rows} == {len(reading.EXPORTED)}
    objects = [json.loads(line) for line in export(admin_client, "jsonl").text.splitlines()]
    (told,) = [each for each in objects if each["actor_id"] == "evil-id"]
    assert told["after"] == {evil: evil}


def export(client: PageClient, kind: str, **query: str) -> Any:
    return client.submit(URL + "export", {"format": kind, **query}, page=URL)


class TestExport:
    """Everything that fits, in a file, and a record that it was taken."""

    def test_csv(self, app: Flask, admin_client: PageClient) -> None:
        with app.app_context():
            write(reading.EXPORT_BATCH + 20, actor=Party("user", "=1+1", "@name"))
        response = export(admin_client, "csv", event="setting:changed")
        assert response.mimetype == "text/csv"
        assert response.headers["Content-Disposition"].startswith("attachment; filename=audit-")
        rows = list(csv.DictReader(io.StringIO(response.text.lstrip("\ufeff"), newline="")))
        assert len(rows) == reading.EXPORT_BATCH + 20
        assert (rows[0]["actor_id"], rows[0]["actor_name"]) == ("'=1+1", "'@name")
        numbers = [json.loads(row["after"])["number"] for row in rows]
        assert numbers == sorted(numbers, reverse=True)
        assert found(admin_client, event="audit:exported") == ["audit:exported"]

    def test_it_is_sent_in_pieces(self, app: Flask) -> None:
        with app.app_context():
            write(reading.EXPORT_BATCH + 20)
            pieces = list(reading.csv_lines(reading.Filter()))
        assert len(pieces) == 3

    def test_unknown_format(self, admin_client: PageClient) -> None:
        assert export(admin_client, "xml").status_code == 422


class TestVerify:
    """The button."""

    def test_whole(self, app: Flask, admin_client: PageClient) -> None:
        with app.app_context():
            sealed(4)
        page = admin_client.submit(URL + "verify", page=URL).text
        assert "The log is as it was written" in page
        assert found(admin_client, event="audit:verified") == ["audit:verified"]
        assert admin_client.get(URL + "verify").status_code == 302

    def test_tampered(self, app: Flask, admin_client: PageClient) -> None:
        with app.app_context():
            sealed(4)
            sql("UPDATE audit_entries SET actor_name = 'x' WHERE seal_number = 3")
            entry_id = db.session.scalars(
                select(AuditEntry.public_id).where(AuditEntry.seal_number == 3)
            ).one()
        page = admin_client.submit(URL + "verify", page=URL).text
        assert "The log was tampered with" in page
        assert f'href="/admin/audit/{entry_id}"' in page


@pytest.mark.parametrize(
    ("role", "reads", "exports", "verifies"), [("auditor", 200, 200, 200), ("operator", 403, 403, 403)]
)
def test_roles(app: Flask, role: str, reads: int, exports: int, verifies: int) -> None:
    client = sign_in_admin(app, add_admin(app, f"of.{role}", role))
    assert client.get(URL).status_code == reads
    token = client.csrf_token("/admin/")
    assert client.post(URL + "export", data={"csrf_token": token, "format": "csv"}).status_code == exports
    assert client.post(URL + "verify", data={"csrf_token": token}).status_code == verifies


def test_users_have_no_way_in(signed_in: PageClient, user: Person) -> None:
    assert signed_in.get(URL).location.startswith("/admin/login")
