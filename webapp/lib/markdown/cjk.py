"""Emphasis that works beside Chinese and Japanese text, which has no spaces between words.

CommonMark's rule for `*` asks for a space or punctuation on the other side of punctuation, so in
`**注意：**后面` nothing is bold. Following the "CommonMark CJK-friendly" amendment, a CJK mark counts as a letter, and
a CJK character beside the run counts as a space does. A single `*` next to a digit keeps the old rule: `3*（4+5）*2`.
"""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

_CJK: Final = re.compile(
    r"[\u1100-\u11ff\u2e80-\u2fff\u3001-\u312f\u3130-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    r"\ufe30-\ufe6f\uff01-\uffee\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)

_MARKS: Final = "[]*_~`$\\<&!"
_MOST_MARKS: Final = 1_500
_MOST_BRACKETS: Final = 300
_ALWAYS_PARSED: Final = 1_000  # characters


class CjkInlineParser(ParserInline):
    """The inline parser, with the relaxed rule for runs of `*` and `~`; it leaves absurd paragraphs unparsed."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """Parse the text of one block into `tokens`, and return them."""
        if len(src) > _ALWAYS_PARSED and _is_hostile(src):
            return [_text(src)]
        state = _CjkState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def _is_hostile(src: str) -> bool:
    """Tell whether one paragraph has more marks than any prose: brackets, the dearest, cost up to 60 µs each."""
    return src.count("[") > _MOST_BRACKETS or sum(map(src.count, _MARKS)) > _MOST_MARKS


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token


class _CjkState(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: FBT001, N802, N803 -- inherited
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < self.posMax else " "
        if not canSplitWord or (before < "\u1100" and after < "\u1100"):
            return scanned
        if scanned.length == 1 and (_is_digit(before) or _is_digit(after)):
            return scanned
        return Scanned(_flanks(before, after), _flanks(after, before), scanned.length)


def _flanks(outside: str, inside: str) -> bool:
    """Tell whether a run between the two characters may stand at the edge of emphasised text."""
    if isWhiteSpace(ord(inside)):
        return False
    if not _is_other_punctuation(inside):
        return True
    return isWhiteSpace(ord(outside)) or _is_other_punctuation(outside) or bool(_CJK.match(outside))


def _is_other_punctuation(character: str) -> bool:
    if _CJK.match(character):
        return False
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"
