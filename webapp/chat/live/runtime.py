"""What runs in each process for the live answers, and the way to it from services and routes."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import cast

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapp import bus, metrics
from webapp.chat import rules
from webapp.chat.live import follower, recovery, titles
from webapp.chat.live.feed import Feed, Reader
from webapp.chat.live.follower import Followed
from webapp.chat.live.journal import Journal, LiveAnswer
from webapp.chat.live.leases import Leases
from webapp.chat.live.position import Position
from webapp.chat.live.producer import Producer, wait_until_finished
from webapp.chat.models import Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity.rules import SESSIONS_TOPIC
from webapp.lib import clock, processes
from webapp.llm import service as llm
from webapp.llm.rules import ChatRequest

log = logging.getLogger(__name__)

STOP_CHECK_SECONDS = 0.5
PRUNE_SECONDS = 30
REVOCATION_SECONDS = 5
STATE_CHECK_SECONDS = 1.0
CATCH_UP_SECONDS = 1.0


class Runtime:
    """The live answers of one process: those it writes, those it follows, and everybody who reads them."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.process = processes.new_name()
        self.journal = Journal(
            app,
            self.process,
            check_leases=self._check_leases,
            on_end=self._forget,
            on_commit=self._tell_of_text,
        )
        self.producers: dict[int, Producer] = {}
        self.readers: set[Reader] = set()
        self.draining = False
        self._followed: dict[int, Followed] = {}
        self._follow_lock = threading.Lock()
        self._following = threading.Event()
        self._news = threading.Event()
        self._called = threading.Event()
        self._due: dict[str, float] = {}
        self._leases = Leases(self.process)
        self._recovery = recovery.Recovery(self.process)
        self._second_recovery = recovery.Recovery(self.process)
        self._running = False
        self._start_lock = threading.Lock()

        self._hints = bus.hints(app)
        self._hints.on(rules.TEXT_TOPIC, self._hear_of_text)
        self._hints.on(rules.STOP_TOPIC, lambda _word: self._call("stops"))
        self._hints.on(SESSIONS_TOPIC, lambda _word: self._call("revoked"))

    # -- life --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the loops; harmless when they run."""
        with self._start_lock:
            if self._running:
                return
            self._running = True
            for loop in (self.journal.run, self._keep_house, self._follow):
                threading.Thread(target=loop, name=f"chat-{loop.__name__}", daemon=True).start()
            metrics.add_sampler(self.app, self._count)

    def _count(self) -> None:
        metrics.gauge("answers_active", len(self.producers))
        metrics.gauge("answer_readers_active", len(self.readers))

    def drain(self) -> None:
        """Send readers to other processes and start no new answers; those under way go on."""
        self.draining = True
        for reader in tuple(self.readers):
            reader.dismissed = True
            reader.bell.set()

    def finish(self, seconds: float) -> None:
        """Give the answers under way so long to end, interrupt the rest, and commit everything."""
        wait_until_finished([producer.answer for producer in self._producing()], seconds)
        halted = self._producing()
        for producer in halted:
            producer.halt()
        wait_until_finished([producer.answer for producer in halted], 5)
        self.journal.close()
        self._running = False

    # -- writing -----------------------------------------------------------------------------------------

    def launch(self, generation: Generation, message: Message, request: ChatRequest) -> None:
        """Start to write an answer whose rows are committed."""
        self.start()
        answer = LiveAnswer(
            generation_id=generation.id,
            message_id=message.id,
            conversation_id=message.conversation_id,
            user_id=message.user_id,
            model=generation.model,
            feed=Feed(message.text, message.reasoning),
            first_tick=generation.first_tick,
            is_first=message.position == 1,
        )
        producer = Producer(self.app, self.journal, answer, request)
        self.producers[message.id] = producer
        try:
            threading.Thread(target=producer.run, name=f"answer-{generation.id}", daemon=True).start()
        except RuntimeError:  # the system has no room for another thread
            producer.give_up()
            raise

    def _tell_of_text(self) -> None:
        """Let the readers' processes look now: once a commit, whatever it held."""
        self._hints.tell(rules.TEXT_TOPIC, self.process)

    def stop(self, message_id: int) -> None:
        """End an answer that this process writes; does nothing about others."""
        producer = self.producers.get(message_id)
        if producer is not None:
            producer.stop()

    def _forget(self, answer: LiveAnswer) -> None:
        """Let go of an ended answer; it may have been continued already, by another producer.

        After the first one of a conversation a title is asked for.
        """
        producer = self.producers.get(answer.message_id)
        if producer is not None and producer.answer is answer:
            del self.producers[answer.message_id]
        if answer.is_first and not self.draining and answer.feed.state is AnswerState.COMPLETE:
            asker = threading.Thread(target=titles.make, args=(self.app, answer.message_id), daemon=True)
            with contextlib.suppress(RuntimeError):  # there is no room for another thread: no title then
                asker.start()

    def _producing(self) -> list[Producer]:
        return list(self.producers.values())

    # -- reading -----------------------------------------------------------------------------------------

    def feed(self, generation: Generation, message: Message) -> Feed:
        """Return the feed of a live answer, whichever process writes it."""
        self.start()
        producer = self.producers.get(message.id)
        if producer is not None and producer.answer.generation_id == generation.id:
            return producer.answer.feed
        followed = self._find_followed(generation, message)
        if followed is None:
            loaded = follower.load(generation, message)
            follower.finish_ended([loaded])
            if not loaded.feed.state.live:
                return loaded.feed
            with self._follow_lock:  # another reader may have loaded it at the same time
                followed = self._find_followed(generation, message) or loaded
                self._followed[message.id] = followed
            self._following.set()
        return followed.feed

    def catch_up(self, feed: Feed, position: Position) -> None:
        """Wait a moment for the text that a reader has been shown by another process and that has not come here yet."""
        deadline = clock.monotonic() + CATCH_UP_SECONDS
        while feed.state.live and feed.is_behind(position) and clock.monotonic() < deadline:
            if not any(each.feed is feed for each in tuple(self._followed.values())):
                return
            self._news.set()
            time.sleep(rules.FOLLOW_LEAST_SECONDS)

    def _find_followed(self, generation: Generation, message: Message) -> Followed | None:
        followed = self._followed.get(message.id)
        return followed if followed and followed.generation_id == generation.id else None

    # -- loops -------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Bring the text of other processes to the readers here."""
        last_state_check = 0.0
        while self._running:
            self._following.clear()
            if not self._followed:
                self._following.wait()
            check_states = clock.monotonic() - last_state_check > STATE_CHECK_SECONDS
            if check_states:
                last_state_check = clock.monotonic()
            self._guarded(lambda: self._follow_once(check_states=check_states))  # noqa: B023
            time.sleep(rules.FOLLOW_LEAST_SECONDS)
            self._news.wait(rules.FOLLOW_SECONDS - rules.FOLLOW_LEAST_SECONDS)
            self._news.clear()

    def _hear_of_text(self, process: str) -> None:
        """Look now, if somebody here watches what that process writes; it was told by the process itself."""
        if any(each.process == process for each in tuple(self._followed.values())):
            self._news.set()

    def _follow_once(self, *, check_states: bool) -> None:
        by_process: dict[str, list[Followed]] = {}
        for each in tuple(self._followed.values()):
            by_process.setdefault(each.process, []).append(each)
        for group in by_process.values():
            moved = follower.read_segments(group)
            if check_states:
                moved += follower.finish_ended(group)
            for each in moved:
                each.feed.ring()
        with self._follow_lock:
            for key, each in tuple(self._followed.items()):
                if not each.feed.state.live or (each.is_idle() and each.feed.retire()):
                    del self._followed[key]

    def _keep_house(self) -> None:
        """Renew leases, find stop requests, beat hearts, end revoked streams, recover what others lost."""
        duties: dict[str, tuple[float, Callable[[], object]]] = {
            "stops": (STOP_CHECK_SECONDS, self._check_stops),
            "leases": (rules.LEASE_RENEW_SECONDS, self._renew_leases),
            "recovery": (rules.LEASE_RENEW_SECONDS, self._recover),
            "calls": (rules.LEASE_RENEW_SECONDS, lambda: llm.calls().keep()),
            "hearts": (rules.HEARTBEAT_SECONDS, self._beat),
            "revoked": (REVOCATION_SECONDS, self._end_revoked),
            "segments": (PRUNE_SECONDS, self._prune),
        }
        due = self._due
        while self._running:
            for name, (seconds, duty) in duties.items():
                if clock.monotonic() >= due.get(name, 0.0):
                    due[name] = clock.monotonic() + seconds
                    self._guarded(duty)
            self._called.wait(STOP_CHECK_SECONDS / 2)
            self._called.clear()

    def _call(self, duty: str) -> None:
        """Let a duty be done now, because another process says that there is something to do."""
        self._due[duty] = 0.0
        self._called.set()

    def _guarded(self, duty: Callable[[], object]) -> None:
        """Do a duty in a context of its own; a database that is away is waited for."""
        with self.app.app_context():
            try:
                duty()
            except SQLAlchemyError as error:
                log.warning("live answers wait for the database", extra={"error": type(error).__name__})
            except Exception:
                log.exception("duty of live answers failed")

    def _renew_leases(self) -> None:
        """Renew the leases; an answer that another process has taken over meanwhile ends here."""
        producers = {producer.answer.generation_id: producer for producer in self._producing()}
        for generation_id in self._leases.renew(producers.keys()):
            if not producers[generation_id].answer.finished.is_set():
                self.journal.lose(producers[generation_id].answer)
                producers[generation_id].halt()

    def _check_leases(self) -> None:
        if not self._leases.surely_hold:
            self._renew_leases()

    def recover(self) -> int:
        """Interrupt what others lost, also where the loops do not run, and return how many answers were; for a task."""
        return self._second_recovery.run({producer.answer.generation_id for producer in self._producing()})

    def _recover(self) -> None:
        self._recovery.run({producer.answer.generation_id for producer in self._producing()})

    def _check_stops(self) -> None:
        if not self.producers:
            return
        query = select(Generation.message_id).where(
            Generation.state == AnswerState.STREAMING.value,
            Generation.process == self.process,
            Generation.stop_requested_at.is_not(None),
        )
        with db.engine.connect() as connection:
            asked = connection.scalars(query).all()
        for message_id in asked:
            self.stop(message_id)

    def _beat(self) -> None:
        for reader in tuple(self.readers):
            reader.bell.set()

    def _end_revoked(self) -> None:
        readers = tuple(self.readers)
        sessions = {reader.login_session_id for reader in readers if reader.login_session_id}
        tokens = {reader.token_id for reader in readers if reader.token_id}
        live_sessions = identity.live_among(sessions) if sessions else set()
        live_tokens = identity.live_tokens_among(tokens) if tokens else set()
        for reader in readers:
            ended = reader.login_session_id and reader.login_session_id not in live_sessions
            if ended or (reader.token_id and reader.token_id not in live_tokens):
                reader.revoked = True
                reader.bell.set()

    def _prune(self) -> None:
        needed = [producer.answer.first_tick for producer in self._producing()]
        recovery.prune_segments(self.process, min(needed, default=self.journal.tick))


def runtime() -> Runtime:
    """Return the runtime of the application at hand."""
    return cast(Runtime, current_app.extensions["chat"])
