"""Answers whose process is gone: their text is gathered from the journal and they become interrupted."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import delete, select

from webapp import metrics
from webapp.chat.live.endings import Ending, write_ending
from webapp.chat.live.journal import REASONING, TEXT
from webapp.chat.models import AnswerSegment, Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import db, write_transaction
from webapp.lib import clock, processes
from webapp.lib.text import estimate_tokens
from webapp.llm import service as llm
from webapp.llm.rules import Usage
from webapp.llm.service import Price

log = logging.getLogger(__name__)

SEGMENTS_KEPT = timedelta(minutes=2)


class Recovery:
    """Finds lost answers. A lease that ran out counts only when it is seen twice, with a database in between.

    Otherwise an outage of the database would make every answer look lost to whichever process is back first.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._suspects: set[int] = set()

    def run(self, owned: Collection[int]) -> int:
        """Interrupt the answers that are lost, among them those of this process that nobody here writes.

        Takes the ids of the generations this process writes; returns how many were lost.
        """
        suspects, self._suspects = self._suspects, set()
        now = clock.utc_now()
        live = db.session.execute(
            select(Generation.id, Generation.process, Generation.lease_until).where(
                Generation.state == AnswerState.STREAMING.value, Generation.id.not_in(owned)
            )
        ).all()
        db.session.rollback()
        dead = {name for name in {row.process for row in live} if processes.is_surely_dead(name)}
        expired = {row.id for row in live if row.lease_until < now}
        self._suspects = expired
        lost = [row for row in live if row.process in dead or row.id in expired & suspects]
        prices = llm.prices() if lost else {}
        ended = sum(interrupt(row.id, prices, surely_dead=row.process in dead) for row in lost)
        metrics.count("answers_orphaned_total", ended)
        metrics.count("answers_total", ended, ending=AnswerState.INTERRUPTED.value)
        return ended


@write_transaction
def interrupt(generation_id: int, prices: Mapping[str, Price], *, surely_dead: bool) -> bool:
    """End a lost generation with the text that was committed; tell whether it was still live, and lost."""
    generation = db.session.get(Generation, generation_id, with_for_update=True)
    if generation is None or not generation.answer_state.live:
        return False
    if not surely_dead and generation.lease_until >= clock.utc_now():
        return False  # its process is back, and has renewed it meanwhile
    message = db.session.get_one(Message, generation.message_id)
    text, reasoning = committed_text(generation, message)
    usage, price = _usage(message, text, reasoning), prices.get(generation.model)
    ending = Ending(AnswerState.INTERRUPTED, usage, error_kind="worker_lost")
    ending.cost_micros = price.cost_micros(usage) if price else None
    ending.text, ending.reasoning = text, reasoning
    log.warning("answer interrupted", extra={"generation": generation_id})
    return write_ending(db.session.connection(), generation_id, generation.process, ending)


def committed_text(generation: Generation, message: Message) -> tuple[str, str]:
    """Return text and reasoning of a live answer as far as they are committed."""
    parts = {TEXT: [message.text[: generation.base_text_length]]}
    parts[REASONING] = [message.reasoning[: generation.base_reasoning_length]]
    rows = db.session.scalars(
        select(AnswerSegment.entries)
        .where(AnswerSegment.process == generation.process, AnswerSegment.tick > generation.first_tick)
        .order_by(AnswerSegment.tick)
    )
    for entries in rows:
        for generation_id, channel, _place, text in json.loads(entries):
            if generation_id == generation.id and channel in parts:
                parts[channel].append(text)
    return "".join(parts[TEXT]), "".join(parts[REASONING])


@write_transaction
def prune_segments(process: str, oldest_needed_tick: int) -> None:
    """Delete the segments that no live answer needs any more."""
    old = AnswerSegment.created_at < clock.utc_now() - SEGMENTS_KEPT
    db.session.execute(
        delete(AnswerSegment).where(
            old, AnswerSegment.process == process, AnswerSegment.tick < oldest_needed_tick
        ),
        execution_options={"synchronize_session": False},
    )
    in_use = select(Generation.process).where(Generation.state == AnswerState.STREAMING.value)
    db.session.execute(
        delete(AnswerSegment).where(
            old, AnswerSegment.process != process, AnswerSegment.process.not_in(in_use)
        ),
        execution_options={"synchronize_session": False},
    )


def _usage(message: Message, text: str, reasoning: str) -> Usage:
    asked = db.session.scalars(
        select(Message.text).where(
            Message.conversation_id == message.conversation_id,
            Message.position < message.position,
            Message.superseded_at.is_(None),
        )
    )
    prompt = sum(estimate_tokens(each) for each in asked)
    return Usage(prompt, estimate_tokens(text) + estimate_tokens(reasoning), estimated=True)
