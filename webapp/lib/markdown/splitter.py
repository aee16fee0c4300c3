"""Cut a growing Markdown text into blocks that can be rendered one by one.

The cuts follow CommonMark's block structure at the top level: a list, a quotation or a fence is one block with all
that it holds. They depend on the text alone. So that no block grows without bound (rendering is linear in
the length of a block, but its reader waits for the end of it) a few further rules apply:

- from `SOFT_LIMIT` characters on, a block ends where the next line goes on in the same way without what is before
  it: at the next top-level item of a list, the next line of a paragraph, quotation or indented code;
- from `HARD_LIMIT` on, at the next line whatever it is;
- a line longer than `LONGEST_LINE` is cut in the middle;
- fenced code is never cut: its content is not parsed, so its length costs nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from enum import Enum, auto
from typing import Final

from webapp.lib.markdown.lines import (
    Formula,
    Inside,
    Kind,
    Line,
    closes_fence,
    read,
    separates_head,
    underlines,
)

SOFT_LIMIT: Final = 8_000
HARD_LIMIT: Final = 64_000
LONGEST_LINE: Final = 16_000

_NEVER: Final = 1 << 30


class _Open(Enum):
    """The construct that the open block consists of."""

    NOTHING = auto()
    PARAGRAPH = auto()
    TABLE = auto()
    CODE = auto()
    FENCE = auto()
    QUOTE = auto()
    LIST = auto()


_OPENED_BY: Final = {
    Kind.TEXT: _Open.PARAGRAPH,
    Kind.INDENTED: _Open.CODE,
    Kind.FENCE: _Open.FENCE,
    Kind.QUOTE: _Open.QUOTE,
    Kind.ITEM: _Open.LIST,
}
_CONTINUED_BY: Final = {
    _Open.PARAGRAPH: Kind.TEXT,
    _Open.CODE: Kind.INDENTED,
    _Open.QUOTE: Kind.QUOTE,
}
_CONTAINERS: Final = (_Open.LIST, _Open.QUOTE)


class BlockSplitter:
    """Find where the blocks of a text end while the text is still arriving.

    Offsets count code points from the beginning of the text. An end that was reported never changes, and the ends
    are the same however the text was cut into chunks. The work is linear in the text; only the line that has not
    ended yet is kept, and the lines of a formula that has not ended yet.
    """

    def __init__(self) -> None:
        self.start = 0
        """Where the open block begins."""
        self._ends: list[int] = []
        self._read_to = 0  # the beginning of the line that has not ended yet
        self._pieces: list[str] = []  # of that line
        self._pieces_length = 0
        self._queue: deque[tuple[Line, int, int]] = deque()  # lines to look at, with their starts and ends
        self._line_start = 0  # of the line that is being looked at
        self._open = _Open.NOTHING
        self._after_blank = False
        self._mark = ""  # of the open fence or list
        self._content = 0  # column from which a line belongs to the open list item
        self._previous = ""  # the line before, in a paragraph
        self._inside = Inside()  # the open list item or quotation
        self._formula: Formula | None = None

    def feed(self, chunk: str) -> list[int]:
        """Take the next piece of the text, and return the ends of the blocks that it completed."""
        self._pieces.append(chunk)
        self._pieces_length += len(chunk)
        if "\n" in chunk or (self._pieces_length >= LONGEST_LINE and self._open is not _Open.FENCE):
            self._read_lines("".join(self._pieces))
        return self._take_ends()

    def finish(self) -> list[int]:
        """Declare the text complete, and return the ends that remain: the last is the length of the text."""
        rest = "".join(self._pieces)
        self._pieces, self._pieces_length = [], 0
        if rest:
            self._next_line(rest, len(rest))
        while self._formula is not None:
            self._give_up(self._formula)
            self._look_at_lines()
        if self._read_to > self.start:
            self._cut(self._read_to)
        return self._take_ends()

    def _take_ends(self) -> list[int]:
        ends, self._ends = self._ends, []
        return ends

    def _read_lines(self, text: str) -> None:
        position = 0
        while position < len(text):
            bounded = self._open is not _Open.FENCE
            newline = text.find("\n", position, position + LONGEST_LINE if bounded else None)
            if newline >= 0:
                self._next_line(text[position:newline], newline + 1 - position)
                position = newline + 1
            elif bounded and len(text) - position >= LONGEST_LINE:
                self._next_line(text[position : position + LONGEST_LINE], LONGEST_LINE)
                position += LONGEST_LINE
                if self.start < self._read_to:
                    self._cut(self._read_to)
            else:
                break
        self._pieces = [text[position:]]
        self._pieces_length = len(text) - position

    def _next_line(self, text: str, length: int) -> None:
        start, self._read_to = self._read_to, self._read_to + length
        self._queue.append((read(text), start, self._read_to))
        self._look_at_lines()

    def _look_at_lines(self) -> None:
        while self._queue:
            line, self._line_start, end = self._queue.popleft()
            if self._formula is not None:
                self._take_formula_line(self._formula, line, end)
            else:
                self._take_line(line, end)

    def _cut(self, end: int) -> None:
        self._ends.append(end)
        self.start = end
        self._open = _Open.NOTHING
        self._after_blank = False

    def _take_line(self, line: Line, end: int) -> None:
        if self._open is _Open.FENCE:
            if closes_fence(line, self._mark):
                self._cut(end)
            return
        if line.kind is Kind.BLANK:
            if self._open in (_Open.PARAGRAPH, _Open.TABLE, _Open.QUOTE):
                self._cut(end)
            elif self._open is _Open.LIST and self._inside.empty:
                self._content = _NEVER  # nothing more can be inside of this item
            self._after_blank = True
            return
        if self._open is not _Open.NOTHING and self._ends_before(line):
            self._cut(self._line_start)
        self._after_blank = False
        if line.kind is Kind.MATH and not self._belongs(line):
            self._formula = Formula(line, self._line_start)
            self._take_formula_line(self._formula, line, end)
        elif self._open is _Open.NOTHING:
            self._begin(line, end)
        else:
            self._go_on(line, end)

    def _begin(self, line: Line, end: int) -> None:
        if line.kind in (Kind.HEADING, Kind.BREAK):
            self._cut(end)
            return
        self._open = _OPENED_BY[line.kind]
        self._mark, self._content, self._previous = line.mark, line.content, line.text
        if self._open in _CONTAINERS:
            self._inside.take(line, anew=True)

    def _go_on(self, line: Line, end: int) -> None:
        if self._open in _CONTAINERS:
            next_item = line.kind is Kind.ITEM and not self._belongs(line)
            if next_item:
                self._content = line.content
            self._inside.take(line, anew=next_item)
        elif self._open is _Open.PARAGRAPH:
            if underlines(line, self._previous):
                self._cut(end)
            elif separates_head(line) and "|" in self._previous:
                self._open = _Open.TABLE
            self._previous = line.text

    def _belongs(self, line: Line) -> bool:
        """Tell whether the line is inside the open list item by its indentation."""
        return self._open is _Open.LIST and line.indent >= self._content

    def _ends_before(self, line: Line) -> bool:
        length = self._line_start - self.start
        if length >= HARD_LIMIT or (length >= SOFT_LIMIT and self._stands_alone(line)):
            return True
        if self._open is _Open.CODE:
            return line.kind is not Kind.INDENTED
        if self._open is _Open.LIST:
            return self._ends_list(line)
        if self._open is _Open.QUOTE:
            return line.kind is not Kind.QUOTE and (
                line.kind is Kind.ITEM or line.interrupts or not self._inside.paragraph
            )
        if self._open is _Open.TABLE:
            return line.interrupts or line.kind is Kind.ITEM
        return line.interrupts and not underlines(line, self._previous)

    def _ends_list(self, line: Line) -> bool:
        if self._belongs(line):
            return False
        if line.kind is Kind.ITEM:
            return line.mark != self._mark
        return line.interrupts or self._after_blank or not self._inside.paragraph

    def _stands_alone(self, line: Line) -> bool:
        if self._open is _Open.LIST:
            return line.kind is Kind.ITEM and not self._belongs(line)
        return _CONTINUED_BY.get(self._open) is line.kind

    def _take_formula_line(self, formula: Formula, line: Line, end: int) -> None:
        ended = formula.take(line, self._line_start, end)
        if ended is False:
            self._give_up(formula)
        elif ended:
            self._formula = None
            if self._open is not _Open.NOTHING:
                self._cut(formula.start)
            self._cut(end)

    def _give_up(self, formula: Formula) -> None:
        """Look at the lines again: the first is text, and the others may be anything."""
        (first, start, end), *others = formula.lines
        self._formula = None
        self._queue.extendleft(reversed([(replace(first, kind=Kind.TEXT), start, end), *others]))
