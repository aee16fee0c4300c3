"""The follower: answers that another process writes and somebody watches here."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from webapp.chat.live.feed import Feed
from webapp.chat.live.journal import REASONING, TEXT, Entry, apply_entry
from webapp.chat.models import AnswerSegment, Generation, Message
from webapp.chat.rules import AnswerState
from webapp.database import db
from webapp.lib import clock

KEEP_UNREAD_SECONDS: Final = 3.0
ROWS_A_BREATH: Final = 20


@dataclass(slots=True, eq=False)
class Followed:
    """A generation of another process, and the feed its segments go into."""

    generation_id: int
    message_id: int
    process: str
    tick: int
    feed: Feed
    unread_since: float | None = None

    def is_idle(self) -> bool:
        """Tell whether nobody has read it for a while; who has just asked for it is about to."""
        if self.feed.readers:
            self.unread_since = None
        elif self.unread_since is None:
            self.unread_since = clock.monotonic()
        return self.unread_since is not None and clock.monotonic() - self.unread_since > KEEP_UNREAD_SECONDS


def load(generation: Generation, message: Message) -> Followed:
    """Return a live answer of another process as far as it is committed."""
    text = message.text[: generation.base_text_length]
    reasoning = message.reasoning[: generation.base_reasoning_length]
    followed = Followed(
        generation.id, message.id, generation.process, generation.first_tick, Feed(text, reasoning)
    )
    read_segments([followed])
    return followed


def read_segments(followed: list[Followed]) -> list[Followed]:
    """Bring what was committed since into the feeds of answers of ONE process; return those that moved."""
    process, tick = followed[0].process, min(each.tick for each in followed)
    by_generation = {each.generation_id: each for each in followed}
    query = (
        select(AnswerSegment.tick, AnswerSegment.entries)
        .where(AnswerSegment.process == process, AnswerSegment.tick > tick)
        .order_by(AnswerSegment.tick)
    )
    with db.engine.connect() as connection:
        rows = connection.execute(query).all()
    moved: dict[Followed, None] = {}
    for number, (row_tick, entries) in enumerate(rows):
        if number % ROWS_A_BREATH == ROWS_A_BREATH - 1:
            time.sleep(0)  # who follows a long answer of a busy process reads much that is not for it
        for entry in json.loads(entries):
            each = by_generation.get(entry[0])
            if each is not None and each.tick < row_tick:
                apply_entry(each.feed, _checked(each.feed, entry))
                moved[each] = None
        for each in followed:
            each.tick = max(each.tick, row_tick)
    return list(moved)


def finish_ended(followed: list[Followed]) -> list[Followed]:
    """End the feeds of answers whose end came without a segment: those another process took over."""
    query = (
        select(Generation.id, Generation.state, Message.text, Message.reasoning)
        .join(Message, Message.id == Generation.message_id)
        .where(
            Generation.id.in_([each.generation_id for each in followed]),
            Generation.state != AnswerState.STREAMING.value,
        )
    )
    with db.engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(query)}
    ended = [each for each in followed if each.generation_id in rows and each.feed.state.live]
    for each in ended:
        row = rows[each.generation_id]
        if len(row.reasoning) > len(each.feed.reasoning):
            each.feed.add_reasoning(row.reasoning[len(each.feed.reasoning) :])
        if len(row.text) > len(each.feed.text):
            each.feed.add_text(row.text[len(each.feed.text) :])
        each.feed.finish(AnswerState(row.state))
    return ended


def _checked(feed: Feed, entry: Entry) -> Entry:
    """Return the entry, cut to what the feed does not have yet."""
    generation_id, channel, place, text = entry
    if channel in {TEXT, REASONING}:
        have = len(feed.text if channel == TEXT else feed.reasoning)
        text = text[max(0, have - place) :]
    return generation_id, channel, place, text
