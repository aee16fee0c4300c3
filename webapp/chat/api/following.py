"""The stream of an answer for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, current_app, request

from webapp.chat import service
from webapp.chat.api.declaring import of_facts
from webapp.chat.live.feed import Feed, Reader
from webapp.chat.live.plain import PlainText, place_in
from webapp.chat.live.position import Position
from webapp.chat.models import Message
from webapp.chat.stream import follow
from webapp.database import db
from webapp.lib import sse
from webapp.web.api import Caller, caller


def follow_answer(answer_id: str, *, once: bool = False, begun: bool = False) -> Response:
    """Return the events of an answer from the place in Last-Event-ID on; `begun` tells first which answer it is.

    `once`: it is the answer to a program's single question.
    """
    who = caller()
    place = place_in(answer_id, request.headers.get("Last-Event-ID"))
    if place is not None:
        place = place._replace(ended=False)  # who has seen the end may see it again
    text = PlainText(answer_id, place)
    reader = Reader(who.session_id, who.person.id, token_id=who.token_id)
    first = _named(answer_id) if begun else b""

    def take(feed: Feed) -> bytes:
        nonlocal first
        data, first = first + text.take(feed), b""
        reader.position = text.position
        return data

    reader.take = take
    ending = _ending(current_app._get_current_object(), who, answer_id, text)  # type: ignore[attr-defined]  # noqa: SLF001
    return follow(who.person, answer_id, reader, place, ending, once=once)


def _named(answer_id: str) -> bytes:
    data = {"id": answer_id, "events_url": f"/api/llm/generate/stream/{answer_id}"}
    return sse.frame("answer", json.dumps(data), f"{answer_id}:{Position()}")


def _ending(app: Flask, who: Caller, answer_id: str, text: PlainText) -> Callable[[], bytes]:
    """Return what tells the end, with what was taken: to be read once the end is stored."""
    user_id = who.person.id

    def tell() -> bytes:
        with app.app_context():
            message = db.session.query(Message).filter_by(public_id=answer_id, user_id=user_id).one_or_none()
            if message is None:  # deleted meanwhile
                return text.done({"state": "interrupted"})
            told: dict[str, Any] = of_facts(service.facts_of([message])[message.id]).model_dump(mode="json")
        return text.done({name: told[name] for name in ("state", "error", "model", "usage", "cost_micros")})

    return tell
