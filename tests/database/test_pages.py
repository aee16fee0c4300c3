"""Keyset pages: every row once, whatever shares its moment; bad cursors are refused in words."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.people import add_user
from webapp.chat.models import Conversation
from webapp.database import Order, Page, db, newest_first, sorted_page, sorted_rows
from webapp.database.pages import decode_cursor, encode_cursor
from webapp.errors import Invalid


def test_every_row_comes_once_newest_first(each_app: Flask) -> None:
    owner = add_user(each_app, "lin.yue", "Lin Yue")
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with each_app.app_context():
        for number in range(25):
            moment = start + dt.timedelta(microseconds=number // 4)  # four rows share each moment
            db.session.add(Conversation(user_id=owner.id, title=str(number), updated_at=moment))
        db.session.commit()
        seen: list[str] = []
        after: str | None = None
        while True:
            page = newest_first(
                select(Conversation), Conversation.updated_at, Conversation.id, after=after, limit=4
            )
            seen += [row.title for row in page.items]
            after = page.next_cursor
            if after is None:
                break
        assert seen == [str(number) for number in reversed(range(25))]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("column", ["updated_at", "title"])
def test_pages_there_and_back_hold_every_row_once(each_app: Flask, column: str, descending: bool) -> None:
    with each_app.app_context():
        fill(add_user(each_app, "lin.yue", "Lin Yue").id, 23)
        order = Order(getattr(Conversation, column), Conversation.id, descending=descending)
        there, page = [], sorted_page(select(Conversation), order, limit=5)
        assert page.previous_cursor is None
        while page.next_cursor:
            there.append([row.id for row in page.items])
            page = sorted_page(select(Conversation), order, after=page.next_cursor, limit=5)
        there.append([row.id for row in page.items])
        ids = [number for each in there for number in each]
        wanted = select(Conversation.id).order_by(
            *(c.desc() if descending else c.asc() for c in (order.column, order.key))
        )
        assert ids == list(db.session.scalars(wanted))
        back = [there[-1]]
        while page.previous_cursor:
            page = sorted_page(select(Conversation), order, before=page.previous_cursor, limit=5)
            back.append([row.id for row in page.items])
        assert back[::-1] == there


def test_rows_of_columns_are_paged_as_entities_are(each_app: Flask) -> None:
    with each_app.app_context():
        fill(add_user(each_app, "lin.yue", "Lin Yue").id, 7)
        query = select(Conversation.id, Conversation.title, Conversation.updated_at)
        order = Order(Conversation.updated_at, Conversation.id)
        first = sorted_rows(query, order, limit=4)
        second = sorted_rows(query, order, after=first.next_cursor, limit=4)
        assert [row.title for row in (*first.items, *second.items)] == ["1", "1", "1", "0", "0", "0", "0"]
        assert second.next_cursor is None


def test_going_back_to_the_beginning_shows_the_whole_first_page(app: Flask) -> None:
    with app.app_context():
        fill(add_user(app, "lin.yue", "Lin Yue").id, 12)
        pages = [newest()]
        pages.append(newest(after=pages[0].next_cursor))
        newcomer = Conversation(user_id=1, title="new", updated_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
        db.session.add(newcomer)
        db.session.commit()
        back = newest(before=pages[1].previous_cursor)
        assert back.items == pages[0].items, "what came in between does not move the page that was asked for"
        assert back.previous_cursor
        first = newest(before=back.previous_cursor)
        assert first.items[0] == newcomer
        assert len(first.items) == 5
        assert first.previous_cursor is None


def test_a_page_whose_rows_are_gone_leads_back(app: Flask) -> None:
    with app.app_context():
        fill(add_user(app, "lin.yue", "Lin Yue").id, 7)
        first = newest()
        for row in db.session.scalars(select(Conversation).where(Conversation.id <= 2)):
            db.session.delete(row)
        db.session.commit()
        empty = newest(after=first.next_cursor)
        assert (list(empty.items), empty.next_cursor) == ([], None)
        assert empty.previous_cursor


def newest(*, after: str | None = None, before: str | None = None) -> Page[Conversation]:
    query, moment = select(Conversation), Conversation.updated_at
    return newest_first(query, moment, Conversation.id, after=after, before=before, limit=5)


def fill(owner_id: int, rows: int) -> None:
    """Add conversations, four of which always share their moment and their title."""
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for number in range(rows):
        group = number // 4
        moment = start + dt.timedelta(microseconds=group)
        db.session.add(Conversation(user_id=owner_id, title=str(group), updated_at=moment))
    db.session.commit()


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60), key=st.integers(0, 99))
def test_cursor_of_a_text_round_trip(text: str, key: int) -> None:
    assert decode_cursor(encode_cursor(text, key), str) == (text, key)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("2026-01-01T00:00:00+00:00", int), (5, str), ("Lin", dt.datetime), (True, int), ("\ud800", str)],
)
def test_cursor_of_another_order_is_refused(app: Flask, value: object, kind: type) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([value, 1]).encode()).decode()
    with app.test_request_context(), pytest.raises(Invalid):
        decode_cursor(cursor, kind)


@given(moment=st.datetimes(timezones=st.just(dt.UTC)), key=st.integers(0, 2**63 - 1))
def test_cursor_round_trip(moment: dt.datetime, key: int) -> None:
    assert decode_cursor(encode_cursor(moment, key)) == (moment, key)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%%%",
        "é",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(json.dumps(["2026-01-01", 1]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["2026-01-01T00:00:00+00:00", "1"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["2026-01-01T00:00:00+00:00", 2**64]).encode()).decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        base64.urlsafe_b64encode(json.dumps(["0001-01-01T00:00:00+14:00", 1]).encode()).decode(),
    ],
)
def test_bad_cursor_is_refused(app: Flask, cursor: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid):
        decode_cursor(cursor)
