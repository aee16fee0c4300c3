"""Routes of no use but to try what all routes have in common."""

from __future__ import annotations

import threading
import time
from typing import Annotated, Any

from flask import Flask
from pydantic import Field
from sqlalchemy import select

from webapp.database import db, newest_first, write_transaction
from webapp.errors import Conflict
from webapp.identity.models import SignIn
from webapp.identity.rules import Scope
from webapp.lib import clock
from webapp.web.api import (
    ANYBODY,
    OWNER,
    Answer,
    Body,
    Confirmation,
    ListQuery,
    Routes,
    caller,
    listing,
    token,
)


class ThingBody(Body):
    """A thing."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    count: Annotated[int, Field(ge=0, le=9)] = 0
    parts: Annotated[tuple[str, ...], Field(max_length=3)] = ()


class ThingAnswer(Answer):
    """A thing that was made."""

    number: int
    name: str


class NumbersAnswer(Answer):
    """Some numbers."""

    items: list[int]
    next: str | None


class KindQuery(ListQuery):
    """A list with a filter."""

    kind: Annotated[str, Field(max_length=5)] = ""


class Probe:
    """The routes, and how often the handlers were reached."""

    def __init__(self, app: Flask) -> None:
        self.calls = 0
        self.lock = threading.Lock()
        self.fails: Exception | None = None
        self.slow = 0.0
        routes = Routes("probe", tag="Probe")
        routes.post("/probe", ANYBODY, body=ThingBody, answer=ThingAnswer, idempotent=True)(self.make)
        routes.get("/probe", token(Scope.MODELS), query=KindQuery, answer=NumbersAnswer)(self.numbers)
        routes.post("/probe/dangerous", OWNER, body=Confirmation)(self.dangerous)
        routes.post("/probe/broken", ANYBODY)(self.broken)
        routes.mount(app)

    def make(self, body: ThingBody) -> dict[str, Any]:
        """Make a thing."""
        with self.lock:
            self.calls += 1
        if self.slow:
            time.sleep(self.slow)
        if self.fails is not None:
            raise self.fails
        return {"number": store_row(), "name": body.name}

    def numbers(self, query: KindQuery) -> dict[str, Any]:
        """List numbers."""
        assert caller().person
        page = newest_first(
            select(SignIn), SignIn.created_at, SignIn.id, after=query.cursor, limit=query.limit
        )
        return listing(page, lambda row: row.id)

    def dangerous(self, body: Confirmation) -> None:
        """Do something for which one has to prove who one is."""
        del body
        self.calls += 1

    def broken(self) -> None:
        """Break."""
        raise ZeroDivisionError


@write_transaction
def store_row() -> int:
    """Store a row and return its number."""
    row = SignIn(realm="user", outcome="ok", created_at=clock.utc_now())
    db.session.add(row)
    db.session.flush()
    return row.id


TAKEN = Conflict("Taken.", code="taken", field="name")
