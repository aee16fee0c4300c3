"""Reasoning that a model writes into its answer, between `<think>` and `</think>` at its very beginning.

GLM-Z1 does, and so do DeepSeek-R1 and its like where the server does not take it apart.
"""

from __future__ import annotations

from typing import Final

OPENING: Final = "<think>"
CLOSING: Final = "</think>"


class ThinkTags:
    """Takes an answer apart as it comes; `passing` once all that follows is answer."""

    def __init__(self) -> None:
        self.passing = False
        self._inside = False
        self._after = False
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Return what of the text is answer and what is reasoning; a beginning that may become a tag is held back."""
        text, self._held = self._held + text, ""
        reasoning = ""
        if not self._inside and not self._after:
            start = text.lstrip()
            if OPENING.startswith(start[: len(OPENING)]) and len(start) < len(OPENING):
                self._held = text
                return "", ""
            if not start.startswith(OPENING):
                self.passing = True
                return text, ""
            self._inside = True
            text = start[len(OPENING) :]
        if self._inside:
            reasoning, found, text = text.partition(CLOSING)
            if not found:
                keep = _begun_tag(reasoning)
                self._held = reasoning[len(reasoning) - keep :]
                return "", reasoning[: len(reasoning) - keep]
            self._inside, self._after = False, True
        text = text.lstrip("\n")
        self.passing = bool(text)
        return text, reasoning

    def end(self) -> tuple[str, str]:
        """Return what was held back when nothing follows."""
        held, self._held, self.passing = self._held, "", True
        return ("", held) if self._inside else (held, "")


def _begun_tag(text: str) -> int:
    """Return how many characters at the end may be the beginning of the closing tag."""
    for length in range(min(len(CLOSING) - 1, len(text)), 0, -1):
        if CLOSING.startswith(text[-length:]):
            return length
    return 0
