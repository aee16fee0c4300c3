"""Places in an answer, as the id of an event carries them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(\.end)?")


class Position(NamedTuple):
    """How much of an answer a reader has: characters of text and of reasoning, and whether it saw the end.

    Written `text`, `text.reasoning`, and with `.end` behind it once nothing can follow.
    """

    text: int = 0
    reasoning: int = 0
    ended: bool = False

    def __str__(self) -> str:
        """Return the form an event id has."""
        if self.ended:
            return f"{self.text}.{self.reasoning}.end"
        return f"{self.text}.{self.reasoning}" if self.reasoning else str(self.text)


def parse(value: str | None) -> Position | None:
    """Return the position an event id names, or None for anything else."""
    match = _FORM.fullmatch(value or "")
    if match is None:
        return None
    text, reasoning, end = match.groups()
    return Position(int(text), int(reasoning or 0), ended=end is not None)
