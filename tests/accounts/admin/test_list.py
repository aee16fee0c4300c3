"""The list of users: filters, orders, pages in both directions, and who may see it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.accounts.admin.crowd import crowd, link_on, names_on, new_user
from tests.pages import PageClient
from tests.people import Person, add_admin, add_user, sign_in, sign_in_admin
from webapp.accounts import service as accounts
from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.administration.listing import USERS_PER_PAGE
from webapp.accounts.models import User, UserWord
from webapp.accounts.rules import NEVER
from webapp.database import db
from webapp.lib import clock
from webapp.llm.models import UsageEntry

LIST = "/admin/users/"


def walk(client: PageClient, address: str, rel: str) -> tuple[list[list[str]], str]:
    """Follow Older or Newer to the end; return the names of each page, and the last page's address."""
    pages = []
    while True:
        page = client.get(address).text
        pages.append(names_on(page))
        following = link_on(page, rel)
        if following is None:
            return pages, address
        address = following


def test_pages_hold_everybody_once_there_and_back(each_app: Flask) -> None:
    names = crowd(each_app, 2 * USERS_PER_PAGE + 7)
    client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    there, last = walk(client, LIST, "next")
    assert [name for page in there for name in page] == names
    assert [len(page) for page in there] == [USERS_PER_PAGE, USERS_PER_PAGE, 7]
    back, _first = walk(client, last, "prev")
    assert back[::-1] == there


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("sort=name&way=up", ["Adaeze", "Lin Yue", "Zoë", "王思远"]),
        ("sort=name", ["王思远", "Zoë", "Lin Yue", "Adaeze"]),
        ("sort=email&way=up", ["Zoë", "Lin Yue", "Adaeze", "王思远"]),
        ("sort=joined", ["王思远", "Adaeze", "Zoë", "Lin Yue"]),
        ("sort=joined&way=up", ["Lin Yue", "Zoë", "Adaeze", "王思远"]),
        ("sort=seen", ["Lin Yue", "Zoë", "Adaeze", "王思远"]),
        ("q=lin", ["Lin Yue"]),
        ("q=YUE+lin", ["Lin Yue"]),
        ("q=in", []),
        ("q=c.lin%40example.com", ["Lin Yue"]),
        ("q=思", ["王思远"]),
        ("q=zoë", ["Zoë"]),
        ("q=%25", ["Lin Yue", "Zoë", "Adaeze", "王思远"]),
        ("state=suspended", ["Zoë"]),
        ("state=active&verified=no", ["Adaeze"]),
        ("verified=yes&sort=joined", ["王思远", "Zoë", "Lin Yue"]),
        ("seen=day", ["Lin Yue"]),
        ("seen=week", ["Lin Yue", "Zoë"]),
        ("seen=quiet30", ["Adaeze", "王思远"]),
        ("seen=never", ["王思远"]),
        ("joined=week", ["Adaeze", "王思远"]),
    ],
)
def test_filters_and_orders(each_app: Flask, query: str, wanted: list[str]) -> None:
    now = clock.utc_now()

    def ago(days: float) -> dt.datetime:
        return now - dt.timedelta(days=days)

    with each_app.app_context():
        for user in (
            new_user("c.lin", display_name="Lin Yue", created_at=ago(400), last_seen_at=ago(0.1)),
            new_user("a.zoe", display_name="Zoë", created_at=ago(90), last_seen_at=ago(3), state="suspended"),
            new_user(
                "d.ad", display_name="Adaeze", created_at=ago(5), last_seen_at=ago(40), verified_at=None
            ),
            new_user("e.wang", display_name="王思远", created_at=ago(1), last_seen_at=NEVER),
        ):
            db.session.add(user)
        db.session.commit()
    client = sign_in_admin(each_app, add_admin(each_app, "mei.chen"))
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    assert names_on(response.text) == wanted


@pytest.mark.parametrize(
    "query",
    ["state=nobody", "sort=password_hash", "way=sideways", "seen=x", "after=x", "before=%%", "after=WzEsMV0"],
)
def test_values_that_are_not_offered_are_refused(admin_client: PageClient, query: str) -> None:
    assert admin_client.get(f"{LIST}?{query}").status_code == 422


def test_cursor_of_another_order_is_refused(app: Flask, admin_client: PageClient) -> None:
    crowd(app, USERS_PER_PAGE + 1)
    older = link_on(admin_client.get(f"{LIST}?sort=name").text, "next")
    assert older
    assert admin_client.get(older).status_code == 200
    assert admin_client.get(older.replace("sort=name", "sort=joined")).status_code == 422


def test_filter_stays_while_paging_and_sorting(app: Flask, admin_client: PageClient) -> None:
    crowd(app, USERS_PER_PAGE + 3, state="suspended")
    crowd_of_others = [new_user(f"other.{number}") for number in range(5)]
    with app.app_context():
        db.session.add_all(crowd_of_others)
        db.session.commit()
    page = admin_client.get(f"{LIST}?state=suspended&q=person").text
    older = link_on(page, "next")
    assert older
    assert len(names_on(admin_client.get(older).text)) == 3
    assert "state=suspended&amp;sort=joined" in page.replace("q=person&amp;", "")


def test_empty_lists_say_why(admin_client: PageClient) -> None:
    assert "No users yet" in admin_client.get(LIST).text
    assert "Nobody fits" in admin_client.get(f"{LIST}?q=nobody").text


def test_names_cannot_carry_markup(app: Flask, admin_client: PageClient) -> None:
    add_user(app, "eve", "<script>alert(1)</script>")
    page = admin_client.get(LIST).text
    assert "<script>alert" not in page
    assert names_on(page) == ["<script>alert(1)</script>"]


def test_usage_of_thirty_days_is_shown(app: Flask, user: Person, admin_client: PageClient) -> None:
    with app.app_context():
        now = clock.utc_now()
        for number, (days, cost) in enumerate([(1, 2_000_000), (29, 500_000), (31, 9_000_000), (2, None)]):
            moment = now - dt.timedelta(days=days)
            taken = {"prompt_tokens": 10, "completion_tokens": 5, "model": "m", "ending": "complete"}
            entry = UsageEntry(
                user_id=user.id, source=str(number), cost_micros=cost, created_at=moment, **taken
            )
            db.session.add(entry)
        db.session.commit()
    cells = re.findall(r'<td class="ta-r hide num">([^<]*)', admin_client.get(LIST).text)
    assert cells == ["3", "¥2.50"]


def test_every_administrator_but_one_without_the_permission_may_look(app: Flask) -> None:
    for role in ("admin", "operator", "auditor"):
        assert sign_in_admin(app, add_admin(app, role, role)).get(LIST).status_code == 200


def test_users_session_leads_to_the_administrators_sign_in(signed_in: PageClient) -> None:
    assert signed_in.get(LIST).location.startswith("/admin/login")


def test_words_follow_every_change_of_a_name(each_app: Flask) -> None:
    person = add_user(each_app, "lin.yue", "Lin Yue")
    with each_app.app_context():
        user = db.session.get_one(User, person.id)
        accounts.update_profile(user, display_name="王伟 ß", username="wang")
        found = set(db.session.scalars(select(UserWord.word).where(UserWord.user_id == person.id)))
        assert found == {"王伟", "伟", "ss", "wang", "lin", "yue", "example", "com"}
        assert user.sort_name == "王伟 ss"
        db.session.delete(user)
        db.session.commit()
        assert db.session.scalars(select(UserWord)).all() == []


def test_being_seen_is_noted_coarsely(app: Flask, user: Person) -> None:
    with app.app_context():
        assert db.session.get_one(User, user.id).last_seen_at == NEVER
    sign_in(app, user)
    with app.app_context():
        seen = db.session.get_one(User, user.id).last_seen_at
        assert abs((clock.utc_now() - seen).total_seconds()) < 60
        accounts.note_seen(user.id)
        assert db.session.get_one(User, user.id).last_seen_at == seen


@pytest.mark.parametrize("sort", ["seen", "joined", "name", "email"])
@pytest.mark.parametrize("way", ["down", "up"])
def test_pages_are_read_from_an_index(each_app: Flask, sort: str, way: str) -> None:
    """Neither end of the list makes the database sort, nor read what is not shown."""
    crowd(each_app, 400)
    with each_app.app_context():
        chosen = UserFilter.read({"sort": sort, "way": way})
        column, key = chosen.order.column, chosen.order.key
        by = (column.desc(), key.desc()) if way == "down" else (column, key)
        query = select(User.id, column).order_by(*by).limit(51)
        compiled = query.compile(db.engine, compile_kwargs={"literal_binds": True})
        plan = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
        told = " ".join(map(str, db.session.execute(text(f"{plan} {compiled}")).all()))
        assert "B-TREE" not in told
        assert "filesort" not in told
