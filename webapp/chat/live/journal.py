"""The journal: one row a tick with the new text of all answers this process writes.

Readers are shown only what the journal has committed. The loop survives every database error: it keeps the
batch, tries it again, and goes on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.chat import rules
from webapp.chat.live.endings import Ending, write_ending
from webapp.chat.live.feed import Feed
from webapp.chat.models import AnswerSegment
from webapp.database import db, process_lock
from webapp.database.engine import WRITES
from webapp.lib import clock

log = logging.getLogger(__name__)

TEXT, REASONING, WAIT, END = range(4)
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0)
FEEDS_A_BREATH = 32

Entry = tuple[int, int, int, str]


@dataclass(slots=True, eq=False)
class LiveAnswer:
    """One answer this process writes: what its producer has brought and the journal has not yet committed."""

    generation_id: int
    message_id: int
    conversation_id: int
    user_id: int
    model: str
    feed: Feed
    first_tick: int = 0
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    wait_seconds: int = 0
    ending: Ending | None = None
    finished: threading.Event = field(default_factory=threading.Event)


class Journal:
    """Takes text from producers, commits it once a tick, and hands it to the feeds."""

    def __init__(self, app: Flask, process: str, *, on_end: Callable[[LiveAnswer], None]) -> None:
        self.tick = 0
        self._app = app
        self._process = process
        self._on_end = on_end
        self._dirty: dict[LiveAnswer, None] = {}
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._kick = threading.Event()
        self._closing = False
        self._last_start = 0.0

    # -- producers ---------------------------------------------------------------------------------------

    def add(self, answer: LiveAnswer, text: str, reasoning: str) -> None:
        """Take new text; the first of an answer is committed at once."""
        with self._lock:
            if text:
                answer.text.append(text)
            if reasoning:
                answer.reasoning.append(reasoning)
        first = not (answer.feed.text or answer.feed.reasoning)
        self._mark(answer, kick=first)

    def add_wait(self, answer: LiveAnswer, seconds: float) -> None:
        """Tell readers that the provider asked to wait."""
        answer.wait_seconds = max(1, round(seconds))
        self._mark(answer, kick=True)

    def end(self, answer: LiveAnswer, ending: Ending) -> None:
        """Take the end of an answer; `answer.finished` is set when it is committed."""
        answer.ending = ending
        self._mark(answer, kick=True)

    def _mark(self, answer: LiveAnswer, *, kick: bool) -> None:
        with self._lock:
            self._dirty[answer] = None
        if kick:
            self._kick.set()
        self._work.set()

    # -- the loop ----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Commit ticks until closed and empty."""
        while not (self._closing and not self._dirty):
            self._work.wait(None if not self._closing else 0.1)
            self._wait_for_tick()
            self._last_start = clock.monotonic()
            self._work.clear()
            self._kick.clear()
            with self._lock:
                batch, self._dirty = list(self._dirty), {}
                entries = [(answer, entry) for answer in batch for entry in _take(answer)]
            if batch:
                self._commit_and_publish(batch, entries)

    def close(self) -> None:
        """Let the loop end once everything is committed."""
        self._closing = True
        self._work.set()
        self._kick.set()

    def _wait_for_tick(self) -> None:
        since = clock.monotonic() - self._last_start
        if since < rules.KICK_SECONDS:
            time.sleep(rules.KICK_SECONDS - since)
        since = clock.monotonic() - self._last_start
        if since < rules.TICK_SECONDS:
            self._kick.wait(rules.TICK_SECONDS - since)

    def _commit_and_publish(self, batch: list[LiveAnswer], entries: list[tuple[LiveAnswer, Entry]]) -> None:
        endings = [(answer, answer.ending) for answer in batch if answer.ending is not None]
        self.tick += 1
        self._commit_for_certain([entry for _, entry in entries], endings)
        for number, (answer, entry) in enumerate(entries):
            apply_entry(answer.feed, entry)
            if number % FEEDS_A_BREATH == FEEDS_A_BREATH - 1:
                time.sleep(0)  # other greenlets get their turn
        for answer in batch:
            answer.feed.ring()
        for answer, _ending in endings:
            self._on_end(answer)
            answer.finished.set()

    def _commit_for_certain(self, entries: list[Entry], endings: list[tuple[LiveAnswer, Ending]]) -> None:
        attempt = 0
        while True:
            try:
                self._commit(entries, endings)
            except IntegrityError:
                if self._is_committed():
                    return  # an attempt whose outcome was lost with its connection
                log.exception("journal refused", extra={"attempt": attempt})
                time.sleep(RETRY_SECONDS[-1])
            except (DBAPIError, PoolTimeout, OSError) as error:
                log.error("journal not committed", extra={"error": type(error).__name__, "attempt": attempt})
                time.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1
            else:
                return

    def _commit(self, entries: list[Entry], endings: list[tuple[LiveAnswer, Ending]]) -> None:
        row = {
            "process": self._process,
            "tick": self.tick,
            "entries": json.dumps(entries, ensure_ascii=False, separators=(",", ":")),
            "created_at": clock.utc_now(),
        }
        with self._app.app_context(), process_lock(), db.engine.connect() as plain:
            connection = plain.execution_options(**{WRITES: True})
            with connection.begin():
                connection.execute(insert(AnswerSegment), row)
                for answer, ending in endings:
                    write_ending(connection, answer.generation_id, self._process, ending)

    def _is_committed(self) -> bool:
        query = select(AnswerSegment.id).where(
            AnswerSegment.process == self._process, AnswerSegment.tick == self.tick
        )
        with self._app.app_context(), db.engine.connect() as connection:
            return connection.scalar(query) is not None


def apply_entry(feed: Feed, entry: Entry) -> None:
    """Bring a committed entry into a feed."""
    _generation_id, channel, place, text = entry
    if channel == TEXT:
        feed.add_text(text)
    elif channel == REASONING:
        feed.add_reasoning(text)
    elif channel == WAIT:
        feed.add_wait(place)
    else:
        feed.finish(rules.AnswerState(text))


def _take(answer: LiveAnswer) -> list[Entry]:
    """Take what is new of an answer, in the order in which readers are to get it."""
    entries: list[Entry] = []
    if answer.wait_seconds:
        entries.append((answer.generation_id, WAIT, answer.wait_seconds, ""))
        answer.wait_seconds = 0
    if answer.reasoning:
        pieces, answer.reasoning = answer.reasoning, []
        entries.append((answer.generation_id, REASONING, len(answer.feed.reasoning), "".join(pieces)))
    if answer.text:
        pieces, answer.text = answer.text, []
        entries.append((answer.generation_id, TEXT, len(answer.feed.text), "".join(pieces)))
    if answer.ending is not None:
        text = answer.feed.text + "".join(entry[3] for entry in entries if entry[1] == TEXT)
        reasoning = answer.feed.reasoning + "".join(entry[3] for entry in entries if entry[1] == REASONING)
        answer.ending.text, answer.ending.reasoning = text, reasoning
        entries.append((answer.generation_id, END, 0, answer.ending.state.value))
    return entries
