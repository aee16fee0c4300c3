"""Calls of models by programs, from their beginning to their entry in the ledger.

Each has a row while it runs, so that a person's calls are counted in all processes together, and so that also the
call of a process that was killed comes into the ledger.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from webapp.accounts.models import User
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import TooMany
from webapp.identity import service as identity
from webapp.lib import clock, ids, processes
from webapp.llm import rules
from webapp.llm.models import RunningCall, UsageEntry
from webapp.llm.prices import Price
from webapp.llm.prices import read as read_prices
from webapp.llm.rules import Ending, Usage

log = logging.getLogger(__name__)

HALT_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way: its name in the ledger, whose it is, and the price of the moment it began."""

    source: str
    user_id: int
    model: str
    price: Price | None
    began_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """By what a program is let in: a login token's session or an API token; a call ends with it."""

    session_id: int | None = None
    token_id: int | None = None


@dataclass(frozen=True, slots=True)
class Handle:
    """How a call under way is ended from this side: because this process goes down, or because nobody may read it."""

    halt: Callable[[], None]
    abort: Callable[[], None]
    ticket: Ticket = Ticket()


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended, and what it took."""

    ending: Ending
    usage: Usage
    first_token_at: dt.datetime | None
    finished_at: dt.datetime = field(default_factory=clock.utc_now)


class Calls:
    """The calls of one process."""

    def __init__(self, app: Flask) -> None:
        self.process = processes.new_name()
        self.live: dict[str, Handle] = {}
        self._app = app
        self._unwritten: dict[str, tuple[Call, End]] = {}
        self._suspects: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, user_id: int, model: str, price: Price | None, prompt_tokens: int) -> Call:
        """Begin a call; raises TooMany where so many are under way that another one may not begin; commits."""
        call = Call(f"call:{ids.public_id()}", user_id, model, price, clock.utc_now())
        _store(call, self.process, prompt_tokens)
        self.live[call.source] = Handle(_nothing, _nothing)
        return call

    def end(self, call: Call, end: End) -> None:
        """Write the entry of a call, now or once the database is back; needs no context, and raises nothing."""
        try:
            with self._app.app_context():
                _settle(call, end)
        except SQLAlchemyError as error:
            log.warning("a call's usage waits for the database", extra={"error": type(error).__name__})
            with self._lock:
                self._unwritten[call.source] = (call, end)
        finally:
            self.live.pop(call.source, None)

    def finish(self, seconds: float) -> None:
        """Give the calls under way so long to end, then end them."""
        self._wait_until_over(seconds)
        for handle in tuple(self.live.values()):
            handle.halt()
        self._wait_until_over(HALT_SECONDS)

    def _wait_until_over(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.live and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def keep(self) -> None:
        """Do what is due every few seconds: write what waits, renew the leases, settle what others lost; commits."""
        with self._lock:
            waiting, self._unwritten = self._unwritten, {}
        for call, end in waiting.values():
            self.end(call, end)
        own = {*self.live, *self._unwritten}
        if own:
            _renew(self.process, own)
        self._settle_lost(own)
        self._end_revoked()

    def _end_revoked(self) -> None:
        """End the calls whose tokens hold no more."""
        handles = [each for each in self.live.values() if each.ticket != Ticket()]
        if not handles:
            return
        sessions = {each.ticket.session_id for each in handles if each.ticket.session_id is not None}
        tokens = {each.ticket.token_id for each in handles if each.ticket.token_id is not None}
        held_sessions = identity.live_among(sessions) if sessions else set()
        held_tokens = identity.live_tokens_among(tokens) if tokens else set()
        db.session.rollback()
        for each in handles:
            if each.ticket.session_id not in held_sessions and each.ticket.token_id not in held_tokens:
                each.abort()

    def _settle_lost(self, own: set[str]) -> None:
        """Write the entries of calls whose process is gone.

        A lease that ran out counts only when it is seen twice: after an outage of the database every call looks lost to
        whichever process is back first.
        """
        suspects, self._suspects = self._suspects, set()
        columns = (RunningCall.source, RunningCall.process, RunningCall.lease_until)
        rows = db.session.execute(select(*columns).where(RunningCall.source.not_in(own))).all()
        db.session.rollback()
        now = clock.utc_now()
        expired = {row.source for row in rows if row.lease_until < now}
        self._suspects = expired
        for row in rows:
            dead = row.process != self.process and processes.is_surely_dead(row.process)
            if dead or row.source in expired & suspects:
                _settle_one_lost(row.source)


def calls() -> Calls:
    """Return the calls of the application at hand."""
    return cast(Calls, current_app.extensions["llm_calls"])


def register_under_way(app: Flask, count: Callable[[int], int]) -> None:
    """Register what counts a user's answers of another kind that are being written."""
    cast("list[Callable[[int], int]]", app.extensions["llm_under_way"]).append(count)


def check_capacity(user_id: int) -> None:
    """Raise TooMany where as many answers are being written for a user as may be at once."""
    running = db.session.scalar(
        select(func.count())
        .select_from(RunningCall)
        .where(RunningCall.user_id == user_id, RunningCall.lease_until > clock.utc_now())
    )
    others = cast("list[Callable[[int], int]]", current_app.extensions["llm_under_way"])
    limit = current_settings().max_streams_per_user
    if (running or 0) + sum(count(user_id) for count in others) >= limit:
        sentence = _(
            "%(limit)s answers are being written for you. Wait for one to end, or stop one.", limit=limit
        )
        raise TooMany(sentence, code="too_many_answers", retry_after_seconds=5)


@write_transaction
def _store(call: Call, process: str, prompt_tokens: int) -> None:
    # Of calls that begin at the same moment each waits here for the one before, so that none is overlooked.
    db.session.execute(select(User.id).where(User.id == call.user_id).with_for_update())
    check_capacity(call.user_id)
    db.session.add(
        RunningCall(
            source=call.source,
            user_id=call.user_id,
            model=call.model,
            process=process,
            prompt_tokens=prompt_tokens,
            lease_until=_lease_end(),
            created_at=call.began_at,
        )
    )


@write_transaction
def _settle(call: Call, end: End) -> None:
    """Turn the row of a call into an entry of the ledger; does nothing where that was done, or the user is gone."""
    removed = db.session.execute(delete(RunningCall).where(RunningCall.source == call.source))
    if getattr(removed, "rowcount", 0) == 0:
        return
    first_token_ms = None
    if end.first_token_at is not None:
        first_token_ms = max(0, round((end.first_token_at - call.began_at).total_seconds() * 1000))
    db.session.add(
        UsageEntry(
            user_id=call.user_id,
            source=call.source,
            model=call.model,
            ending=end.ending.value,
            prompt_tokens=end.usage.prompt_tokens,
            completion_tokens=end.usage.completion_tokens,
            estimated=end.usage.estimated,
            cost_micros=call.price.cost_micros(end.usage) if call.price else None,
            first_token_ms=first_token_ms,
            created_at=end.finished_at,
        )
    )


@write_transaction
def _renew(process: str, sources: set[str]) -> None:
    db.session.execute(
        update(RunningCall)
        .where(RunningCall.process == process, RunningCall.source.in_(sources))
        .values(lease_until=_lease_end()),
        execution_options={"synchronize_session": False},
    )


@write_transaction
def _settle_one_lost(source: str) -> None:
    row = db.session.scalar(select(RunningCall).where(RunningCall.source == source))
    if row is not None:
        log.warning("call lost", extra={"source": source})
        price = read_prices(current_settings().model_prices).get(row.model)
        call = Call(source, row.user_id, row.model, price, row.created_at)
        _settle(call, End(Ending.INTERRUPTED, Usage(row.prompt_tokens, 0, estimated=True), None))


def _lease_end() -> dt.datetime:
    return clock.utc_now() + dt.timedelta(seconds=rules.LEASE_SECONDS)


def _nothing() -> None:
    """End nothing: the call has not begun to be read."""
