"""Rows of live answers, and a second process beside the one under test, without a second server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from tests.people import Person
from webapp.chat.live.feed import Feed
from webapp.chat.live.journal import LiveAnswer
from webapp.chat.live.leases import lease_end
from webapp.chat.live.runtime import Runtime
from webapp.chat.models import Conversation, Generation, Message
from webapp.database import db


@contextmanager
def another_process(app: Flask) -> Iterator[Runtime]:
    """What another process on the same database has: a runtime of its own, whose journal runs."""
    runtime = Runtime(app)
    loop = threading.Thread(target=runtime.journal.run, daemon=True)
    loop.start()
    yield runtime
    runtime.journal.close()
    loop.join()


def live_answer(
    app: Flask, person: Person, runtime: Runtime, *, text: str = "", base: str = ""
) -> tuple[str, LiveAnswer]:
    """Store a question whose answer the process writes; return the answer's public id and its live side."""
    with app.app_context():
        conversation = Conversation(user_id=person.id, title="Title")
        db.session.add(conversation)
        db.session.flush()
        common = {"conversation_id": conversation.id, "user_id": person.id}
        db.session.add(Message(position=0, role="user", text="Question", **common))
        answer = Message(position=1, role="assistant", text=base, model="scripted-echo", **common)
        db.session.add(answer)
        db.session.flush()
        generation = Generation(
            message_id=answer.id,
            user_id=person.id,
            model="scripted-echo",
            process=runtime.process,
            first_tick=runtime.journal.tick,
            base_text_length=len(base),
            lease_until=lease_end(),
        )
        db.session.add(generation)
        db.session.commit()
        live = LiveAnswer(
            generation.id,
            answer.id,
            conversation.id,
            person.id,
            "scripted-echo",
            Feed(base),
            generation.first_tick,
        )
        if text:
            runtime.journal.add(live, text, "")
        return answer.public_id, live
