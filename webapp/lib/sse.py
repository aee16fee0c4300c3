"""Server-sent events on the wire (WHATWG HTML, section 9.2 "Server-sent events")."""

from __future__ import annotations

import re
from typing import Final

# Lines end at CR, LF or CRLF and at nothing else: U+2028, U+0085, VT and FF are ordinary characters, unlike for
# `str.splitlines`.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_EVENT: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ID: Final = re.compile(r"[!-~]{0,128}")  # travels back in a header


def frame(event: str | None, data: str, id: str | None = None, retry_ms: int | None = None) -> bytes:  # noqa: A002
    """Return one event, ready to send.

    The browser hears it as type `event` (None: "message"), remembers `id` (None: keeps its last), and waits
    `retry_ms` milliseconds before it connects anew. Any text may be data; a CR or CRLF in it arrives as LF. Lone
    surrogates, which UTF-8 cannot carry, arrive as question marks. Raises ValueError for a name or id that the wire
    cannot carry, or a negative wait.
    """
    lines = []
    if event is not None:
        if not _EVENT.fullmatch(event):
            raise ValueError(f"not a name for an event: {event!r}")
        lines.append(f"event: {event}\n")
    if id is not None:
        if not _ID.fullmatch(id):
            raise ValueError(f"not an id for an event: {id!r}")
        lines.append(f"id: {id}\n")
    if retry_ms is not None:
        if retry_ms < 0:
            raise ValueError(f"not a time to wait: {retry_ms}")
        lines.append(f"retry: {retry_ms:d}\n")
    lines.append(f"data: {_continued(data, 'data: ')}\n\n")
    return "".join(lines).encode("utf-8", "replace")


def comment(text: str = "") -> bytes:
    """Return a line that the browser ignores: it keeps the connection alive and finds out whether it still is."""
    return f": {_continued(text, ': ')}\n\n".encode("utf-8", "replace")


def _continued(text: str, field: str) -> str:
    if "\n" not in text and "\r" not in text:
        return text
    return _LINE_END.sub("\n" + field, text)
