"""What a single line of Markdown could begin, seen alone (CommonMark 0.31, sections 4 and 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

CODE_INDENT: Final = 4
MAX_MATH_LENGTH: Final = 4_000
MAX_MATH_LINES: Final = 60

MATH_CLOSERS: Final = {"$$": "$$", "\\[": "\\]"}

# What may stand behind the closing mark of a block of mathematics: the punctuation of the sentence.
AFTER_MATH: Final = re.compile(r"[ \t]*[.,;:!?。，；：！？]?[ \t]*")

_BREAK = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
_FENCE = re.compile(r"(`{3,})[^`]*|(~{3,}).*", re.DOTALL)
_ITEM = re.compile(r"(?:([-+*])|(\d{1,9})([.)]))(?:([ \t]+)|$)")
_CONTAINERS = re.compile(r"(?:(?:[-+*]|\d{1,9}[.)])(?:[ \t]+|$)|>[ \t]*)*")


class Kind(Enum):
    """The constructs that a line can start or belong to."""

    BLANK = auto()
    TEXT = auto()
    INDENTED = auto()
    HEADING = auto()
    BREAK = auto()
    FENCE = auto()
    QUOTE = auto()
    ITEM = auto()
    MATH = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its indentation in columns, and what its first characters mean.

    `mark` is the fence, the list's type (`-`, `+`, `*`, `.` or `)`) or the opening mark of mathematics;
    `content` is, for a list item, the column from which lines belong to it; `interrupts` tells whether
    the construct certainly begins in the middle of a paragraph (of mathematics one knows only at its end).
    """

    kind: Kind
    text: str
    indent: int
    mark: str = ""
    content: int = 0
    interrupts: bool = True


def read(raw: str) -> Line:
    """Classify a line, given without its line feed (a carriage return before it is ignored)."""
    text = raw.removesuffix("\r").replace("\r", " ")
    body = text.lstrip(" \t")
    if not body:
        return Line(Kind.BLANK, body, 0, interrupts=False)
    indent = _columns(text, len(text) - len(body))
    if indent >= CODE_INDENT:
        return Line(Kind.INDENTED, body, indent, interrupts=False)
    return _marked(body, indent) or Line(Kind.TEXT, body, indent, interrupts=False)


def closes_fence(line: Line, fence: str) -> bool:
    """Tell whether the line ends a block of code that was opened with `fence`."""
    return line.indent < CODE_INDENT and _is_end(line.text, fence)


def underlines(line: Line, previous: str) -> bool:
    """Tell whether the line makes a heading of the paragraph that ends with the line `previous`."""
    text = line.text.rstrip(" \t")
    if line.indent >= CODE_INDENT or text[:1] not in ("=", "-") or text.strip(text[0]):
        return False
    one_column = "|" in previous and "|" not in previous.strip().strip("|")
    return not (one_column and text.startswith("--"))  # which makes a table of it


def separates_head(line: Line) -> bool:
    """Tell whether the line could stand between the head of a table and its rows."""
    return line.indent < CODE_INDENT and not line.text.strip("|:- \t")


class Inside:
    """What is open inside a list item or a quotation, as far as it decides where that ends."""

    def __init__(self) -> None:
        self.paragraph = False
        """Whether a line that is outside by its indentation would go on with a paragraph inside."""
        self.empty = False
        """Whether nothing has followed the mark of the item yet."""
        self._fence = ""

    def take(self, line: Line, *, anew: bool) -> None:
        """Take a line that belongs inside; `anew` if it is the first of its item."""
        body = _CONTAINERS.sub("", line.text, count=1)
        self.empty = anew and not body
        if self._fence and not anew:
            self.paragraph = False
            if _is_end(body, self._fence):
                self._fence = ""
            return
        fence = _FENCE.fullmatch(body)
        self._fence = (fence[1] or fence[2]) if fence else ""
        self.paragraph = bool(body) and not fence and not _HEADING.match(body)


class Formula:
    """Lines that may turn out to be a block of mathematics, kept until that is certain."""

    def __init__(self, opening: Line, start: int) -> None:
        self.start = start
        self.lines: list[tuple[Line, int, int]] = []
        self._opening = len(opening.mark)
        self._closer = MATH_CLOSERS[opening.mark]
        self._empty = True

    def take(self, line: Line, start: int, end: int) -> bool | None:
        """Take the next line with its place; return True at the end of the formula, False if it is none."""
        text = line.text if self.lines else line.text[self._opening :]
        self.lines.append((line, start, end))
        body, closer, after = text.partition(self._closer)
        self._empty = self._empty and not body.strip()
        if len(self.lines) > MAX_MATH_LINES or end - self.start > MAX_MATH_LENGTH:
            return False
        if closer:
            return not self._empty and AFTER_MATH.fullmatch(after) is not None
        return False if line.kind in (Kind.BLANK, Kind.FENCE) else None


def _is_end(text: str, fence: str) -> bool:
    return text.startswith(fence) and not text.lstrip(fence[0]).strip(" \t")


def _columns(text: str, length: int, start: int = 0) -> int:
    columns = start
    for character in text[:length]:
        columns += 4 - columns % 4 if character == "\t" else 1
    return columns - start


def _marked(body: str, indent: int) -> Line | None:
    first = body[0]
    if first == "#" and _HEADING.match(body):
        return Line(Kind.HEADING, body, indent)
    if first == ">":
        return Line(Kind.QUOTE, body, indent)
    if first in "`~" and (fence := _FENCE.fullmatch(body)):
        return Line(Kind.FENCE, body, indent, mark=fence[1] or fence[2])
    if first in "*-_" and _BREAK.fullmatch(body):
        return Line(Kind.BREAK, body, indent)
    if body.startswith(("$$", "\\[")):
        return Line(Kind.MATH, body, indent, mark=body[:2], interrupts=False)
    if first in "-+*0123456789" and (item := _ITEM.match(body)):
        return _item(item, body, indent)
    return None


def _item(item: re.Match[str], body: str, indent: int) -> Line:
    marker_end = item.start(4) if item[4] else item.end()
    empty = item.end() == len(body)
    gap = 1 if empty else _columns(item[4], len(item[4]), indent + marker_end)
    return Line(
        Kind.ITEM,
        body,
        indent,
        mark=item[1] or item[3],
        content=indent + marker_end + (gap if gap <= CODE_INDENT else 1),
        interrupts=not empty and (not item[2] or int(item[2]) == 1),
    )
