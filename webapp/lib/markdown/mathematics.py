r"""Where mathematics stands in Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from webapp.lib.markdown.lines import AFTER_MATH, MATH_CLOSERS, MAX_MATH_LENGTH, MAX_MATH_LINES

_BACKSLASH_CLOSERS: Final = {"\\(": "\\)", "\\[": "\\]"}
_SIGNS = re.compile(r"[\\^_]")
_HAN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_PRICE_AND_WORDS = re.compile(r"\d[^A-Za-z]*[A-Za-z]{3}|[A-Za-z]{3,}\s+[A-Za-z]{2,}")


def add_mathematics(parser: MarkdownIt) -> None:
    """Teach the parser the tokens `math_inline` and `math_block`; their content is LaTeX."""
    parser.inline.ruler.before("escape", "math_backslash", _backslash)
    parser.inline.ruler.before("escape", "math_dollar", _dollar)
    parser.block.ruler.before(
        "fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _backslash(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 -- the parser's protocol
    opener = state.src[state.pos : state.pos + 2]
    closer = _BACKSLASH_CLOSERS.get(opener)
    if closer is None:
        return False
    start = state.pos + 2
    end = state.src.find(closer, start, min(state.posMax, start + MAX_MATH_LENGTH))
    return end >= 0 and _accept(state, start, end, 2, silent=silent)


def _dollar(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 -- the parser's protocol
    if state.src[state.pos] != "$":
        return False
    if state.src.startswith("$$", state.pos):
        start = state.pos + 2
        end = state.src.find("$$", start, min(state.posMax, start + MAX_MATH_LENGTH))
        return end >= 0 and _accept(state, start, end, 2, silent=silent)
    start = state.pos + 1
    end = _next_dollar(state.src, start, min(state.posMax, start + MAX_MATH_LENGTH))
    if end < 0 or _in_word(state.src, state.pos - 1) or _in_word(state.src, end + 1):
        return False
    return _is_formula(state.src[start:end]) and _accept(state, start, end, 1, silent=silent)


def _next_dollar(source: str, start: int, limit: int) -> int:
    end = source.find("$", start, limit)
    while end > start and source[end - 1] == "\\":
        end = source.find("$", end + 1, limit)
    return end


def _in_word(source: str, position: int) -> bool:
    if not 0 <= position < len(source):
        return False
    character = source[position]
    return character == "$" or (character.isascii() and character.isalnum())


def _is_formula(body: str) -> bool:
    """Tell a formula from two prices or shell variables in one sentence."""
    if "`" in body:
        return False
    if body[:1].isspace() or body[-1:].isspace():
        return body[:1].isspace() and body[-1:].isspace() and bool(_SIGNS.search(body))
    return bool(_SIGNS.search(body)) or not (_HAN.search(body) or _PRICE_AND_WORDS.match(body))


def _accept(state: StateInline, start: int, end: int, mark: int, *, silent: bool) -> bool:
    content = state.src[start:end].strip()
    if not content:
        return False
    if not silent:
        state.push("math_inline", "math", 0).content = content
    state.pos = end + mark
    return True


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:  # noqa: FBT001 -- protocol
    start = state.bMarks[start_line] + state.tShift[start_line]
    closer = MATH_CLOSERS.get(state.src[start : start + 2])
    if closer is None or state.is_code_block(start_line):
        return False
    end = state.src.find(closer, start + 2, start + MAX_MATH_LENGTH)
    if end < 0:
        return False
    last = bisect_left(state.eMarks, end + 2, start_line)
    if last >= end_line or not AFTER_MATH.fullmatch(state.src, end + 2, state.eMarks[last]):
        return False
    if not _one_piece(state, start_line, last):
        return False
    lines = state.getLines(start_line, last + 1, state.blkIndent, keepLastLF=False).strip()[2:]
    content, _, after = lines.rpartition(closer)
    if not content.strip():
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.content = content.strip() + after.strip()
        token.map = [start_line, last + 1]
    state.line = last + 1
    return True


def _one_piece(state: StateBlock, start_line: int, last: int) -> bool:
    """Tell whether the lines belong together: no blank line, no fence, none outside of the list or quotation."""
    indent = min(state.blkIndent, state.sCount[start_line])
    if last - start_line >= MAX_MATH_LINES:
        return False
    for line in range(start_line + 1, last + 1):
        if state.isEmpty(line) or state.sCount[line] < indent:
            return False
        if state.src.startswith(("```", "~~~"), state.bMarks[line] + state.tShift[line]):
            return False
    return True
