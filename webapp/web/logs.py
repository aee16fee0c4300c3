"""Logs: one JSON object a line, with the request id, without secrets."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import logging.handlers
import sys
from typing import Any, Final

from webapp.config import Settings, deployment_settings
from webapp.lib import clock, redaction
from webapp.web.requests import current_request_id

LOG_FILE_BYTES: Final = 10_000_000
LOG_FILES_KEPT: Final = 5
LOG_FILE_DAYS: Final = 90  # then a file that was rotated away goes, however little is logged
_LOG_FILE: Final = "agent-tools.log"
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Write a record as one JSON object; line breaks in it cannot forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        if request_id := current_request_id():
            line["request_id"] = request_id
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return redaction.redact(json.dumps(line, ensure_ascii=False, default=str))


def configure(settings: Settings) -> None:
    """Send the logs of this process to standard error and, if wanted, to a rotated file."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.log_to_file:
        folder = settings.instance_path / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                folder / _LOG_FILE,
                maxBytes=LOG_FILE_BYTES,
                backupCount=LOG_FILES_KEPT,
                encoding="utf-8",
                delay=True,
            )
        )
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "agent_tools", False):
            root.removeHandler(old)
    for handler in handlers:
        handler.setFormatter(JsonFormatter())
        handler.agent_tools = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(settings.log_level)
    logging.raiseExceptions = False  # a full disk must not end a request
    for noisy in ("apscheduler", "urllib3", "httpx", "httpcore", "alembic.runtime.plugins"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def clear_old_files() -> int:
    """Delete log files that were rotated away long ago; return how many."""
    old = clock.utc_now().timestamp() - LOG_FILE_DAYS * 86_400
    folder, removed = deployment_settings().instance_path / "logs", 0
    for file in folder.glob(f"{_LOG_FILE}.*"):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            if file.stat().st_mtime < old:
                file.unlink()
                removed += 1
    return removed
