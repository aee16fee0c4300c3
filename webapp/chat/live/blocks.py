"""The finished blocks of a growing text and their HTML."""

from __future__ import annotations

import html
import logging
from bisect import bisect_right
from functools import lru_cache
from typing import Final

from webapp.lib import markdown, offload

log = logging.getLogger(__name__)

OFFLOAD_FROM_CHARACTERS: Final = 2_000
REMEMBER_TO_CHARACTERS: Final = 4_000
REMEMBERED: Final = 1_024


class Blocks:
    """Where the blocks of a text end, and their HTML, rendered once and only when asked for."""

    def __init__(self) -> None:
        self._splitter = markdown.BlockSplitter()
        self._fed = 0
        self._ends: list[int] = []
        self._html: dict[int, str] = {}
        self._rest: int | None = None

    @property
    def start(self) -> int:
        """Where the open block begins; once the text has ended, where the last open block began."""
        if self._rest is not None:
            return self._rest
        return self._ends[-1] if self._ends else 0

    def advance(self, text: str) -> bool:
        """Take in what the text has gained; tell whether that finished a block."""
        ends = self._splitter.feed(text[self._fed :])
        self._fed = len(text)
        self._ends += ends
        return bool(ends)

    def finish(self, text: str) -> None:
        """Take in the end of the text: what was open is finished with it."""
        if self._rest is None:
            self.advance(text)
            self._rest = self.start
            self._ends += self._splitter.finish()

    def html(self, text: str, after: int = 0, until: int | None = None) -> str:
        """Return the HTML of the finished blocks that end after a place, and not beyond another."""
        first = bisect_right(self._ends, after)
        last = bisect_right(self._ends, len(text) if until is None else until)
        for number, source in self._sources(text, range(first, last)):
            self.put(number, render(source))
        return "".join(self._html[number] for number in range(first, last))

    def unrendered(self, text: str, after: int) -> list[tuple[int, str]]:
        """Return number and source of finished blocks without HTML, those that end after a place."""
        return self._sources(text, range(bisect_right(self._ends, after), len(self._ends)))

    def put(self, number: int, block: str) -> None:
        """Keep the HTML of a block."""
        self._html[number] = block

    def _sources(self, text: str, numbers: range) -> list[tuple[int, str]]:
        return [
            (number, text[self._ends[number - 1] if number else 0 : self._ends[number]])
            for number in numbers
            if number not in self._html
        ]


def render(source: str) -> str:
    """Render a block, a long one off the event loop; a fault in the renderer must not end the journal."""
    try:
        if len(source) > OFFLOAD_FROM_CHARACTERS:
            return offload.run(_render, source)
        return _render(source)
    except Exception:
        log.exception("block not rendered", extra={"characters": len(source)})
        return f"<pre>{html.escape(source)}</pre>"


def open_block_start(text: str) -> int:
    """Return where the open block of a text begins, as a reader who has just that text knows it."""
    blocks = Blocks()
    blocks.advance(text)
    return blocks.start


def _render(source: str) -> str:
    if len(source) > REMEMBER_TO_CHARACTERS:
        return markdown.render_block(source)
    return _remembered(source)


@lru_cache(maxsize=REMEMBERED)
def _remembered(source: str) -> str:
    """Render a block that is soon asked for again: by the page of the answer whose stream has just ended."""
    return markdown.render_block(source)
