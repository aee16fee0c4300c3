"""The stream of an answer: server-sent events, only ever a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp import metrics
from webapp.chat import rules, service
from webapp.chat.live.feed import Feed, Reader, Retired
from webapp.chat.live.position import Position, parse
from webapp.chat.live.runtime import Runtime, runtime
from webapp.database import db
from webapp.errors import TooMany, Unavailable
from webapp.identity import service as identity
from webapp.lib import sse
from webapp.web.limits import limit
from webapp.web.wire import Wire, limit_sending, wire_of

blueprint = Blueprint("chat_stream", __name__)

RECONNECT_MILLISECONDS = 500
WAITRESS = "waitress.client_disconnected"  # what only this server puts into a request


@blueprint.get("/chat/answers/<answer_id>/events")
@limit("chat_open_stream")
def events(answer_id: str) -> ResponseReturnValue:
    """Send an answer from the reader's position on, until it ends."""
    position = parse(request.headers.get("Last-Event-ID") or request.args.get("after"))
    reader = Reader(identity.current_session_id(), current_user.id)
    return follow(current_user, answer_id, reader, position)


def follow(
    user: Any,
    answer_id: str,
    reader: Reader,
    position: Position | None,
    ending: Callable[[], bytes] | None = None,
    *,
    once: bool = False,
) -> Response:
    """Return the stream of an answer from a position on; `ending` makes what follows its end, `once` see the service.

    Raises TooMany where the person reads too many streams already.
    """
    live = runtime()
    feed = service.feed(user, answer_id, once=once)
    metrics.count("answer_streams_total", opened="first" if position is None else "again")
    if position is not None and position.ended and not feed.state.live:
        return Response(status=204)
    if request.method == "HEAD":  # its body is never sent, so nobody would take the reader out again
        return _stream(())
    if sum(each.user_id == reader.user_id for each in tuple(live.readers)) >= rules.READERS_PER_USER:
        raise TooMany(_("This answer is open in too many places. Close some of them."), retry_after_seconds=5)
    _leave_threads_for_pages(live)
    reader.dismissed = live.draining
    if position is not None:
        db.session.rollback()  # gives the connection back
        live.catch_up(feed, position)
    feed, first = _join(feed, reader, position, lambda: service.feed(user, answer_id, once=once))
    live.readers.add(reader)
    db.session.rollback()  # gives the connection back
    limit_sending(request.environ)
    return _stream(_Events(live, feed, reader, first, wire_of(request.environ), ending))


def _leave_threads_for_pages(live: Runtime) -> None:
    """Refuse a stream where threads serve and too many of them are taken; the page comes back by itself."""
    if WAITRESS in request.environ and len(live.readers) >= rules.READERS_WITH_THREADS:
        raise Unavailable(
            _("Too many answers are open at once. This one goes on by itself in a moment."),
            retry_after_seconds=5,
        )


def _join(
    feed: Feed, reader: Reader, position: Position | None, find: Callable[[], Feed]
) -> tuple[Feed, bytes]:
    """Join a feed; one that was given up since it was found is found again."""
    while True:
        try:
            return feed, feed.join(reader, position)
        except Retired:
            feed = find()


def _stream(body: Iterable[bytes]) -> Response:
    response = Response(body, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Events:
    """The body of the response; `close` is called by the server however the stream ends."""

    def __init__(
        self,
        live: Runtime,
        feed: Feed,
        reader: Reader,
        first: bytes,
        wire: Wire | None,
        ending: Callable[[], bytes] | None,
    ) -> None:
        self._live, self._feed, self._reader, self._first = live, feed, reader, first
        self._ending = ending
        self._wire = reader.wire = wire

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._read(self._reader, self._feed)
            if self._ending is not None and self._reader.position.ended:
                yield self._ending()
        finally:
            self.close()

    def _read(self, reader: Reader, feed: Feed) -> Iterator[bytes]:
        yield self._first or sse.comment("open")
        while not reader.position.ended:
            if reader.revoked:
                return
            if data := feed.since(reader):
                yield data
                continue
            if reader.dismissed:
                yield sse.frame("reconnect", "{}", None, RECONNECT_MILLISECONDS)
                return
            self._wait()
            if self._wire is not None and self._wire.unsent:
                self._wire.finish()
            elif not (reader.revoked or reader.position.ended):
                yield feed.since(reader) or sse.comment()

    def _wait(self) -> None:
        """Wait for the bell; meanwhile what comes may be sent by the feed, if there is a wire for it."""
        reader = self._reader
        reader.waiting = True
        reader.bell.wait()
        reader.waiting = False
        reader.bell.clear()

    def close(self) -> None:
        """Forget the reader."""
        self._reader.waiting = False
        self._feed.leave(self._reader)
        self._live.readers.discard(self._reader)
