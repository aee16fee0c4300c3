"""Nothing that is stored becomes markup on the dashboard, in whatever field it stands (L1, O5).

Each field gets a text of its own that would become an element if a page took it for markup, behind the back of all
forms, as a hostile provider, mail server, browser or administrator might bring it in; then every page is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import select

from tests.access import things
from tests.access.people import Cast
from tests.audit.logs import sql
from tests.chat.waiting import ask, wait_for_end
from tests.conftest import make_settings, running
from tests.dashboard.test_overview import add_usage
from webapp.accounts.models import User
from webapp.admins.models import Admin, Role
from webapp.announcements.models import Announcement
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db
from webapp.identity.models import ApiToken, LoginSession, SignIn, Throttle, VerificationCode
from webapp.identity.rules import Realm
from webapp.lib import clock
from webapp.llm.models import UsageEntry
from webapp.mail.models import MailMessage
from webapp.tasks.models import Task, TaskRun

# Fields in which people, browsers, servers and models can put what they like, and where pages show them.
FIELDS: Final[tuple[Any, ...]] = (
    User.display_name,
    User.username,
    User.email,
    Admin.display_name,
    Admin.username,
    Admin.email,
    Role.name,
    Role.description,
    ApiToken.name,
    LoginSession.user_agent,
    LoginSession.address,
    SignIn.address,
    Throttle.address,
    VerificationCode.address,
    MailMessage.to_address,
    MailMessage.template,
    MailMessage.last_error,
    AuditEntry.actor_name,
    AuditEntry.target_name,
    AuditEntry.address,
    AuditEntry.request_id,
    Announcement.text_en,
    Announcement.author_name,
    Task.name,
    TaskRun.reason,
    TaskRun.result,
    UsageEntry.model,
)
# A browser's description is told as the names in it that are known, a request id only where one looks at an entry.
NOT_SHOWN: Final = {LoginSession.user_agent}


def tag(column: Any) -> str:
    """Return the name of the element that a field would become; it is short, for fields are."""
    return f"x{FIELDS.index(column)}y"


def payload(column: Any) -> str:
    return f"\"'><{tag(column)} onx=1>"


class Elements(HTMLParser):
    """The elements and the words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)
        self.text = " ".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _value in attrs}
        self.words += [value for _name, value in attrs if value]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[dict[str, Elements]]:
    """Every page of the dashboard, over a database whose every field is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "agent-tools.db").write_bytes(template_database.read_bytes())
    for app in running(make_settings(folder, log_level="WARNING")):
        yield {address: Elements(page) for address, page in _read_all(app).items()}


def _read_all(app: Flask) -> dict[str, str]:
    cast = Cast(app)
    owner, browser = cast.client("user"), cast.client("superadmin")
    wait_for_end(owner, ask(owner)["answer"])
    makers: tuple[Callable[[Cast], dict[str, str]], ...] = (
        things.mail, things.code, things.role, things.admin, things.lockout, things.announcement,
        things.api_token, things.setting, things.task, things.run, things.audit_entry,
    )  # fmt: skip
    ids: dict[str, str] = {}
    for make in makers:
        ids |= make(cast)
    ids["user_id"], session_ids = cast.owner.public_id, {}
    with app.app_context():
        add_usage(cast.owner.id, clock.utc_now())
        audit.record_alone(Event.USER_SUSPENDED, actor=audit.Party("user", ids["user_id"], "x"))
        ids["entry_id"] = db.session.scalars(
            select(AuditEntry.public_id).order_by(AuditEntry.id.desc()).limit(1)
        ).one()
        session_ids = {Realm.USER: cast.owner.id, Realm.ADMIN: cast.admins["superadmin"].id}
        db.session.commit()
        _poison(session_ids, ids)
    found: dict[str, str] = {}
    with app.test_request_context():
        addresses = _addresses(app, ids)
    for address in addresses:
        answer = browser.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 200, (address, answer.status_code)
        found[address] = answer.text
    return found


def _poison(people: dict[Realm, int], ids: dict[str, str]) -> None:
    """Put each field's text into the rows that pages show, with plain SQL, which nothing of ours sees."""
    where = {
        User: ("id", people[Realm.USER]),
        Admin: ("id", people[Realm.ADMIN]),
        Role: ("public_id", ids["role_id"]),
        LoginSession: ("realm", "user"),
        SignIn: ("realm", "user"),
        Task: ("public_id", ids["task_id"]),
        AuditEntry: ("public_id", ids["entry_id"]),
        UsageEntry: ("model", "scripted/echo"),
    }
    for column in FIELDS:
        model = column.class_
        key, value = where.get(model, ("1", 1))
        statement = f"UPDATE {model.__tablename__} SET `{column.key}` = :new WHERE {key} = :value"
        sql(statement, new=payload(column), value=value)


def _addresses(app: Flask, ids: dict[str, str]) -> list[str]:
    """Return the address of every page of the dashboard that one may look at."""
    values = {**ids, "act": "suspend", "func_name": "note", "name": "site_name"}
    left_out = ("stream", "events", "setup", "login", "verify", "confirm", "log")
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule
        if not path.startswith("/admin/") or "GET" not in (rule.methods or ()):
            continue
        if any(part in left_out for part in path.split("/")) or rule.arguments - set(values):
            continue
        found.append(rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1])  # type: ignore[index]
    return sorted(found)


def test_every_page_was_looked_at(pages: dict[str, Elements]) -> None:
    assert len(pages) >= 35


@pytest.mark.parametrize("column", FIELDS, ids=str)
def test_field_is_text(pages: dict[str, Elements], column: Any) -> None:
    name = tag(column)
    became_markup = [
        address for address, page in pages.items() if name in page.names or "onx" in page.attributes
    ]
    assert became_markup == []
    shown = [address for address, page in pages.items() if name in page.text]
    assert bool(shown) != (column in NOT_SHOWN)
