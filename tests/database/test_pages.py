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
from webapp.database import db, newest_first
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
    ],
)
def test_bad_cursor_is_refused(app: Flask, cursor: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid):
        decode_cursor(cursor)
