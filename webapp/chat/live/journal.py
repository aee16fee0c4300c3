"""The journal: one row a tick with the new text of all answers this process writes.

Readers are shown only what the journal has committed while this process surely held the answer. The loop survives
every error: it keeps the batch, tries it again, and goes on.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from webapp import metrics
from webapp.chat import rules
from webapp.chat.live.beat import Beat
from webapp.chat.live.endings import Ending, write_ending
from webapp.chat.live.feed import Feed
from webapp.chat.models import AnswerSegment
from webapp.database import db, process_lock
from webapp.database.engine import WRITES
from webapp.lib import clock
from webapp.lib.text import without_lone_surrogates

log = logging.getLogger(__name__)

TEXT, REASONING, WAIT, END = range(4)
RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0)
FEEDS_A_BREATH = 32
ROW_CHARACTERS = (
    500_000  # after which a row takes in no further answer: databases limit the size of a statement
)

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
    is_first: bool = False
    """Whether it is the first answer of its conversation."""
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    wait_seconds: int = 0
    ending: Ending | None = None
    lost: bool = False
    """Another process has taken the answer over: what is still brought is not shown, because it is not kept."""
    asked_at: dt.datetime = field(default_factory=clock.utc_now)
    finished: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Tick:
    """What one commit takes."""

    answers: list[LiveAnswer] = field(default_factory=list)
    entries: list[tuple[LiveAnswer, Entry]] = field(default_factory=list)
    endings: list[tuple[LiveAnswer, Ending]] = field(default_factory=list)


class Journal:
    """Takes text from producers, commits it once a tick, and hands it to the feeds."""

    def __init__(
        self,
        app: Flask,
        process: str,
        *,
        check_leases: Callable[[], None],
        on_end: Callable[[LiveAnswer], None],
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.tick = 0
        self._app = app
        self._process = process
        self._check_leases = check_leases
        self._on_end = on_end
        self._on_commit = on_commit
        self._dirty: dict[LiveAnswer, None] = {}
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._kick = threading.Event()
        self._closing = False
        self._last_start = self._last_beat = 0.0
        self._beat = Beat()

    # -- producers ---------------------------------------------------------------------------------------

    def add(self, answer: LiveAnswer, text: str, reasoning: str) -> None:
        """Take new text; the first of an answer is committed at once."""
        with self._lock:
            if text:
                answer.text.append(text)
            if reasoning:
                answer.reasoning.append(reasoning)
            self._dirty[answer] = None
        if not (answer.feed.text or answer.feed.reasoning):
            self._kick.set()
        if not self._work.is_set():
            self._work.set()

    def rest(self, answer: LiveAnswer) -> None:
        """Wait until it is time to read what the next tick takes."""
        if not self._work.is_set():
            self._work.set()
        self._beat.rest(answer.generation_id)

    def add_wait(self, answer: LiveAnswer, seconds: float) -> None:
        """Tell readers that the provider asked to wait."""
        answer.wait_seconds = max(1, round(seconds))
        self._mark(answer, kick=True)

    def end(self, answer: LiveAnswer, ending: Ending) -> None:
        """Take the end of an answer; `answer.finished` is set when it is committed."""
        answer.ending = ending
        self._mark(answer, kick=True)

    def lose(self, answer: LiveAnswer) -> None:
        """Note that another process has taken an answer over."""
        answer.lost = True
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
            if not self._beat.awaited:
                self._work.wait(None if not self._closing else 0.1)
            beats = self._wait_for_tick()
            self._last_start = clock.monotonic()
            self._work.clear()
            self._kick.clear()
            if beats:
                self._last_beat = self._last_start
                self._beat.strike()
            tick = self._take_tick()
            if tick.answers:
                self.tick += 1
                self._commit_for_certain(tick)
                self._on_commit()
                self._publish(tick)
        self._beat.end()

    def close(self) -> None:
        """Let the loop end once everything is committed."""
        self._closing = True
        self._work.set()
        self._kick.set()

    def _wait_for_tick(self) -> bool:
        """Wait until a tick is due, or something that is not to wait for it; tell which of the two."""
        since = clock.monotonic() - self._last_start
        if since < rules.KICK_SECONDS:
            time.sleep(rules.KICK_SECONDS - since)
        left = self._last_beat + rules.TICK_SECONDS - clock.monotonic()
        return left <= 0 or not self._kick.wait(left)

    def _take_tick(self) -> _Tick:
        tick, characters = _Tick(), 0
        with self._lock:
            waiting, self._dirty = list(self._dirty), {}
            for number, answer in enumerate(waiting):
                if characters > ROW_CHARACTERS:
                    self._dirty = dict.fromkeys(waiting[number:])
                    self._work.set()
                    break
                tick.answers.append(answer)
                for entry in _take(answer):
                    tick.entries.append((answer, entry))
                    characters += len(entry[3])
                    if entry[1] == END and answer.ending is not None:
                        tick.endings.append((answer, answer.ending))
        return tick

    def _commit_for_certain(self, tick: _Tick) -> None:
        """Commit, whatever it takes; then make sure that the answers still are this process's."""
        entries = [entry for _, entry in tick.entries]
        attempt = 0
        committed = False
        while True:
            try:
                began = time.perf_counter()
                with self._app.app_context():
                    # An attempt that failed may have been committed, and only its outcome was lost.
                    if not committed and not (attempt and self._is_committed()):
                        self._commit(entries, tick.endings)
                    committed = True
                    self._check_leases()
                metrics.observe("journal_commit_seconds", time.perf_counter() - began)
            except (SQLAlchemyError, OSError) as error:
                log.error("journal not committed", extra={"error": type(error).__name__, "attempt": attempt})
            except Exception:
                log.exception("journal not committed", extra={"attempt": attempt})
            else:
                return
            metrics.count("journal_failures_total")
            time.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    def _publish(self, tick: _Tick) -> None:
        for number, (answer, entry) in enumerate(tick.entries):
            if not answer.lost:
                _show(answer.feed, entry)
            if number % FEEDS_A_BREATH == FEEDS_A_BREATH - 1:
                time.sleep(0)  # other greenlets get their turn
        ended = [answer for answer, _ in tick.endings]
        for answer, ending in tick.endings:
            _count(answer, ending)
        for answer in tick.answers:
            if answer.lost and not answer.finished.is_set():
                answer.feed.finish(rules.AnswerState.INTERRUPTED)
                ended.append(answer)
            answer.feed.ring()
        for answer in ended:
            self._on_end(answer)
            answer.finished.set()

    def _commit(self, entries: list[Entry], endings: list[tuple[LiveAnswer, Ending]]) -> None:
        row = {
            "process": self._process,
            "tick": self.tick,
            "entries": json.dumps(entries, ensure_ascii=False, separators=(",", ":")),
            "created_at": clock.utc_now(),
        }
        with process_lock(), db.engine.connect() as plain:
            connection = plain.execution_options(**{WRITES: True})
            with connection.begin():
                connection.execute(insert(AnswerSegment), row)
                for answer, ending in endings:
                    write_ending(connection, answer.generation_id, self._process, ending)

    def _is_committed(self) -> bool:
        query = select(AnswerSegment.id).where(
            AnswerSegment.process == self._process, AnswerSegment.tick == self.tick
        )
        with db.engine.connect() as connection:
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


def _count(answer: LiveAnswer, ending: Ending) -> None:
    metrics.count("answers_total", ending=ending.state.value)
    metrics.count("tokens_total", ending.usage.prompt_tokens, direction="in")
    metrics.count("tokens_total", ending.usage.completion_tokens, direction="out")
    metrics.observe("answer_seconds", (ending.finished_at - answer.asked_at).total_seconds())
    if ending.first_token_at is not None:
        waited = (ending.first_token_at - answer.asked_at).total_seconds()
        metrics.observe("answer_first_token_seconds", waited)


def _show(feed: Feed, entry: Entry) -> None:
    """Bring a committed entry into a feed; a fault there is this answer's alone."""
    try:
        apply_entry(feed, entry)
    except Exception:
        log.exception("answer not shown", extra={"generation": entry[0]})


def _take(answer: LiveAnswer) -> list[Entry]:
    """Take what is new of an answer, in the order in which readers are to get it."""
    entries: list[Entry] = []
    key, ending = answer.generation_id, answer.ending
    if answer.finished.is_set():
        return entries
    if answer.wait_seconds:
        entries.append((key, WAIT, answer.wait_seconds, ""))
        answer.wait_seconds = 0
    if answer.reasoning:
        reasoning = _take_whole(answer.reasoning, last=ending is not None)
        entries.append((key, REASONING, len(answer.feed.reasoning), reasoning))
    if answer.text:
        text = _take_whole(answer.text, last=ending is not None)
        entries.append((key, TEXT, len(answer.feed.text), text))
    if ending is not None:
        ending.text = answer.feed.text + "".join(entry[3] for entry in entries if entry[1] == TEXT)
        ending.reasoning = answer.feed.reasoning + "".join(e[3] for e in entries if e[1] == REASONING)
        entries.append((key, END, 0, ending.state.value))
    return entries


def _take_whole(pieces: list[str], *, last: bool) -> str:
    """Take the pieces together; half a character at the end stays for the next time, if there is one."""
    text = "".join(pieces)
    pieces.clear()
    if not last and "\ud800" <= text[-1:] <= "\udbff":
        pieces.append(text[-1])
        text = text[:-1]
    return without_lone_surrogates(text)
