"""The words by which a user is found: of the name, the user name and the address, each by its beginning."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

WORD_MAX_LENGTH: Final = 64
WORDS_SOUGHT: Final = 6  # of one search; more would narrow it no further
LAST_SIGN: Final = "\U0010ffff"  # sorts behind every text that begins alike
_WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)


def folded(text: str) -> str:
    """Return the form in which texts are compared and sorted."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(*texts: str) -> set[str]:
    """Return what a user is found by.

    A name of Chinese, Japanese or Korean characters has no spaces: it is found from each of its characters on.
    """
    found: set[str] = set()
    for text in texts:
        for word in _WORD.findall(folded(text)):
            found.add(word[:WORD_MAX_LENGTH])
            found.update(
                word[start : start + WORD_MAX_LENGTH]
                for start, sign in enumerate(word)
                if start and unicodedata.east_asian_width(sign) in {"W", "F"}
            )
    return found


def words_sought(text: str) -> list[str]:
    """Return the words of a search, each of which has to begin one of the user's words."""
    words = [word[:WORD_MAX_LENGTH] for word in _WORD.findall(folded(text))]
    return list(dict.fromkeys(words))[:WORDS_SOUGHT]
