"""The overview and the page of usage: what they count, what they say is wrong, and what they hide from whom."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import time_machine
from flask import Flask, g
from sqlalchemy import insert

from tests.chat.waiting import ask, wait_for_end
from tests.conftest import make_settings, running
from tests.pages import PageClient
from tests.people import Person, add_admin, add_user, sign_in, sign_in_admin
from webapp.dashboard import periods
from webapp.dashboard.ledgers import Ledger
from webapp.dashboard.snapshots import take
from webapp.database.buckets import HOUR
from webapp.extensions import db
from webapp.lib import checks, clock
from webapp.llm.figures import Sum
from webapp.llm.models import UsageEntry
from webapp.mail.models import MailMessage, MailState

NOON = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)


def add_usage(user_id: int | None, moment: dt.datetime, count: int = 1, **values: object) -> None:
    """Add entries to the ledger; call it in an application context."""
    row = {
        "user_id": user_id, "model": "scripted/echo", "ending": "complete", "prompt_tokens": 10,
        "completion_tokens": 5, "estimated": False, "created_at": moment,
    }  # fmt: skip
    known = db.session.query(UsageEntry).count()
    rows = [row | values | {"source": f"s{known + each}"} for each in range(count)]
    db.session.execute(insert(UsageEntry), rows)
    db.session.commit()


@pytest.fixture
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def lin(each_app: Flask) -> int:
    """A user, by internal id."""
    return add_user(each_app, "lin.yue", "Lin Yue").id


@pytest.mark.usefixtures("noon")
def test_counts_by_hour_and_ending_on_both_databases(each_app: Flask, lin: int) -> None:
    with each_app.test_request_context():
        add_usage(lin, NOON - dt.timedelta(minutes=5), 3, first_token_ms=400, cost_micros=100)
        add_usage(lin, NOON - dt.timedelta(hours=2), 2, ending="failed")
        add_usage(None, NOON - dt.timedelta(hours=30), 4)
        taken = take(periods.period_of("day"), Ledger(HOUR))
        pieces = taken.period.spread(taken.answers)
        assert [(ending, took.answers) for ending, took in pieces[-1]] == [("complete", 3)]
        assert [(ending, took.answers) for ending, took in pieces[-3]] == [("failed", 2)]
        assert pieces[-1][0][1].cost_micros == 300
        assert (taken.active, taken.active_before) == (1, 0)
        assert taken.active_by_piece[-1] == 1
        assert sum(took.answers for hour, (_e, took) in taken.answers if hour < taken.period.start) == 4
        assert [(place, count) for _hour, (place, count) in taken.waits] == [(8, 3)]


@pytest.mark.usefixtures("noon")
def test_pieces_are_days_of_the_reader(each_app: Flask, lin: int) -> None:
    """17:00 UTC is the next day in Shanghai."""
    with each_app.test_request_context("/admin/"):
        g.admin = SimpleNamespace(timezone="Asia/Shanghai", locale="en")
        add_usage(lin, dt.datetime(2026, 11, 22, 15, 59, tzinfo=dt.UTC))
        add_usage(lin, dt.datetime(2026, 11, 22, 16, 1, tzinfo=dt.UTC), 2)
        week = periods.period_of("week")
        taken = take(week, Ledger(week.width))
        counts = [sum(took.answers for _e, took in each) for each in taken.period.spread(taken.answers)]
        assert counts == [0, 0, 0, 0, 1, 2, 0]
        assert taken.period.starts[-1] == dt.datetime(2026, 11, 23, 16, tzinfo=dt.UTC)


@pytest.mark.usefixtures("noon")
def test_zone_between_the_hours(each_app: Flask, lin: int) -> None:
    """A day in Kolkata begins at 18:30 UTC."""
    with each_app.test_request_context("/admin/"):
        g.admin = SimpleNamespace(timezone="Asia/Kolkata", locale="en")
        add_usage(lin, dt.datetime(2026, 11, 23, 18, 25, tzinfo=dt.UTC))
        add_usage(lin, dt.datetime(2026, 11, 23, 18, 35, tzinfo=dt.UTC), 2)
        week = periods.period_of("week")
        taken = take(week, Ledger(week.width))
        counts = [sum(took.answers for _e, took in each) for each in taken.period.spread(taken.answers)]
        assert counts == [0, 0, 0, 0, 0, 1, 2]


def test_what_is_over_is_counted_once_and_what_is_new_is_added(app: Flask, user: Person) -> None:
    """A ledger that was read before says the same as one that reads everything."""
    ledger = Ledger(HOUR)
    with app.test_request_context(), time_machine.travel(NOON, tick=False) as time:
        for hours in range(5):
            add_usage(user.id, clock.utc_now() - dt.timedelta(minutes=1), 2, first_token_ms=300 + hours)
            period = periods.period_of("day")
            again, anew = take(period, ledger), take(period, Ledger(HOUR))
            assert summed(again.answers, "complete") == summed(anew.answers, "complete") == 2 * (hours + 1)
            assert sorted(again.waits) == sorted(anew.waits)
            assert (again.active, again.active_by_piece) == (anew.active, anew.active_by_piece)
            time.shift(dt.timedelta(minutes=50))


def summed(answers: list[tuple[dt.datetime, tuple[str, Sum]]], ending: str) -> int:
    return sum(took.answers for _hour, (each, took) in answers if each == ending)


def test_an_answer_leaves_how_long_its_first_word_took(app: Flask, signed_in: PageClient) -> None:
    sent = ask(signed_in)
    wait_for_end(signed_in, sent["answer"])
    with app.app_context():
        entry = db.session.query(UsageEntry).one()
        assert entry.first_token_ms is not None
        assert 0 <= entry.first_token_ms < 60_000


@pytest.mark.parametrize("period", ["day", "week", "month", "nonsense"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/usage/"])
def test_every_period_is_shown_with_and_without_rows(
    app: Flask, admin_client: PageClient, user: Person, path: str, period: str
) -> None:
    assert admin_client.get(f"{path}?period={period}").status_code == 200
    with app.app_context():
        add_usage(user.id, clock.utc_now(), 7, first_token_ms=900, cost_micros=1_000_000)
    page = admin_client.get(f"{path}?period={period}&anew=1")
    assert page.status_code == 200


def test_charts_have_a_sentence_and_a_table(app: Flask, admin_client: PageClient, user: Person) -> None:
    with app.app_context():
        add_usage(user.id, clock.utc_now(), 3)
        add_usage(user.id, clock.utc_now(), 2, ending="interrupted")
    page = admin_client.get("/admin/").text
    assert "5 answers: 3 complete, 0 stopped, 2 interrupted, 0 failed." in page
    assert page.count('role="img"') == page.count("Show as table") == 5
    charts = "".join(re.findall(r'<svg class="(?:plot|heat|spark)".*?</svg>', page, re.DOTALL))
    assert charts
    assert not re.search(r"<(rect|path|line)[^>]* (fill|stroke|style)=", charts)


def item(page: str) -> list[str]:
    """Return the titles of what needs attention."""
    found = re.search(r'class="list attention">(.*?)</ul>', page, re.DOTALL)
    return re.findall(r"<b>(.*?)</b>", found[1]) if found else []


def test_silent_scheduler_is_told(admin_client: PageClient) -> None:
    assert item(admin_client.get("/admin/").text) == ["Scheduler: no run yet"]


@pytest.fixture
def mailing_app(settings: object, instance: object) -> Iterator[Flask]:
    yield from running(make_settings(instance, mail_server="smtp.example.com"))  # type: ignore[arg-type]


def test_stuck_and_failed_mail_is_told_with_the_way_to_it(mailing_app: Flask) -> None:
    client = sign_in_admin(mailing_app, add_admin(mailing_app, "mei.chen"))
    old = clock.utc_now() - dt.timedelta(hours=1)
    with mailing_app.app_context():
        for state in (MailState.QUEUED, MailState.QUEUED, MailState.FAILED):
            db.session.add(
                MailMessage(
                    to_address="a@example.com",
                    template="code",
                    locale="en",
                    sealed_context="x",
                    created_at=old,
                    state=state.value,
                    last_error="SMTP 451",
                    next_attempt_at=clock.utc_now(),
                )
            )
        db.session.commit()
    page = client.get("/admin/").text
    assert {"2 mails are waiting", "1 mail was not delivered"} <= set(item(page))
    assert 'href="/admin/mail/"' in page


def test_no_model_is_told(instance: object) -> None:
    for app in running(make_settings(instance, scripted_models=False)):  # type: ignore[arg-type]
        client = sign_in_admin(app, add_admin(app, "mei.chen"))
        assert "No model is ready" in item(client.get("/admin/").text)


def test_failed_answers_are_told_by_model(admin_client: PageClient, signed_in: PageClient) -> None:
    sent = ask(signed_in, model="scripted-fail-auth")
    assert wait_for_end(signed_in, sent["answer"]) == "failed"
    page = admin_client.get("/admin/").text
    assert any("scripted-fail-auth" in title for title in item(page))
    assert "the provider refuses our key" in page


def test_checks_name_what_they_look_at(app: Flask, admin_client: PageClient) -> None:
    with app.test_request_context():
        found = {check.name: finding.state for check, finding in checks.run(app)}
    assert found["database"] == found["migrations"] == found["clock"] == found["uploads"] == "ok"
    assert found["redis"] == "idle"
    page = admin_client.get("/admin/").text
    assert all(name in page for name in ("SQLite", "Redis", "Run again"))


def test_pending_migration_is_bad(app: Flask, admin_client: PageClient) -> None:
    app.extensions["head_revision"] = "9999"
    assert any("Tables" in title for title in item(admin_client.get("/admin/").text))


def test_usage_hides_names_from_who_may_not_see_users(app: Flask, user: Person) -> None:
    from webapp.admins import service as admins
    from webapp.audit import service as audit

    with app.app_context():
        add_usage(user.id, clock.utc_now())
        admins.ensure_built_in_roles()
        admins.add_role(actor=audit.SYSTEM, name="counter", description="", permissions=["usage.read"])
    counter = sign_in_admin(app, add_admin(app, "li.si", "counter"))
    assert user.username not in counter.get("/admin/usage/").text
    assert user.username in sign_in_admin(app, add_admin(app, "mei.chen")).get("/admin/usage/").text


def test_navigation_counts_users(app: Flask, user: Person, admin_client: PageClient) -> None:
    assert '<span class="count num">1</span>' in admin_client.get("/admin/").text
    sign_in(app, user)
