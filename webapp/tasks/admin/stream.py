"""The live log of a run: server-sent events, only ever a reader.

It looks into the database twice a second, whichever process the run is in, and holds no connection meanwhile. The
event id is the id of the last log line that was sent, so that a reader who comes back misses nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, get_locale, get_timezone
from sqlalchemy.exc import SQLAlchemyError

from webapp.database import db
from webapp.lib import clock, sse
from webapp.tasks import listing, service
from webapp.tasks.admin.blueprint import blueprint, level_words
from webapp.tasks.admin.runs import log_clock, percent, progress_words
from webapp.tasks.models import TaskLogLine, TaskRun
from webapp.tasks.rules import LINES_AT_ONCE
from webapp.web.guards import needs, still_allowed
from webapp.web.limits import limit

POLL_SECONDS: Final = 0.5
HEARTBEAT_SECONDS: Final = 15.0
RECONNECT_MILLISECONDS: Final = 1000


@blueprint.get("/runs/<run_id>/events")
@needs("tasks.read")
@limit("task_open_stream")
def events(run_id: str) -> ResponseReturnValue:
    """Send the log, progress and attempts of a run from the reader's place on, until it ends."""
    return follow(run_id, still_allowed())


def follow(run_id: str, allowed: Callable[[], bool]) -> Response:
    """Return the stream of a run; it ends as well when `allowed` tells that the reader may not any more."""
    run, _task = service.get_run(run_id)
    given = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    follower = _Follower(
        current_app._get_current_object(),  # type: ignore[attr-defined]  # noqa: SLF001
        run.id,
        int(given) if given.isdecimal() and len(given) < 19 else 0,
        allowed,
        str(get_locale() or "en"),
        get_timezone(),
    )
    shown = _look(run)
    db.session.remove()
    response = Response(
        "" if request.method == "HEAD" else follower.frames(shown), mimetype="text/event-stream"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


@dataclass(slots=True)
class _Follower:
    """One reader of a run."""

    app: Flask
    run_id: int
    after: int
    allowed: Callable[[], bool]
    locale: str
    zone: dt.tzinfo
    look: dict[str, Any] = field(default_factory=dict)

    def frames(self, shown: dict[str, Any]) -> Iterator[bytes]:
        """Yield what is new until the run ends; `shown` is how it looked when the reader came."""
        self.look = shown
        yield sse.comment("open")
        quiet_since = clock.monotonic()
        while True:
            if self.app.extensions.get("draining"):
                yield sse.frame("reconnect", "{}", None, RECONNECT_MILLISECONDS)
                return
            frames, ended = self._news()
            yield from frames
            if ended:
                return
            if frames:
                quiet_since = clock.monotonic()
            elif clock.monotonic() - quiet_since > HEARTBEAT_SECONDS:
                quiet_since = clock.monotonic()
                yield sse.comment()
            time.sleep(POLL_SECONDS)

    def _news(self) -> tuple[list[bytes], bool]:
        """Return the frames of what is new, and whether nothing will follow."""
        with self.app.app_context(), force_locale(self.locale):
            try:
                return self._read()
            except SQLAlchemyError:
                return [], False  # once the database is back
            finally:
                db.session.remove()

    def _read(self) -> tuple[list[bytes], bool]:
        if not self.allowed():
            return [], True
        run = db.session.get(TaskRun, self.run_id)
        if run is None:
            return [sse.frame("done", '{"state": "deleted"}')], True
        frames: list[bytes] = []
        lines = listing.log_after(self.run_id, self.after)
        if lines:
            self.after = lines[-1].id
            frames.append(
                sse.frame("lines", json.dumps([_line(each, self.zone) for each in lines]), str(self.after))
            )
        look = _look(run)
        if look != self.look:
            self.look = look
            frames.append(sse.frame("run", json.dumps(look)))
        ended = run.run_state.final and len(lines) < LINES_AT_ONCE
        if ended:
            frames.append(sse.frame("done", json.dumps({"state": run.state})))
        return frames, ended


def _look(run: TaskRun) -> dict[str, Any]:
    """Return what of a run is shown beside its log."""
    return {
        "state": run.state,
        "attempt": run.attempt,
        "percent": percent(run),
        "words": progress_words(run),
        "text": run.progress_text,
    }


def _line(line: TaskLogLine, zone: dt.tzinfo) -> dict[str, str]:
    words, kind = level_words(line.level)
    return {"at": log_clock(line.logged_at, zone), "level": words, "kind": kind, "text": line.text}
