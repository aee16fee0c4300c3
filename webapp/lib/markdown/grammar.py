"""The Markdown that answers are written in: CommonMark without HTML, with tables, strikethrough and mathematics."""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.token import Token
from markdown_it.utils import PresetType

from webapp.lib.markdown.cjk import CjkInlineParser
from webapp.lib.markdown.mathematics import add_mathematics
from webapp.lib.markdown.writer import MAX_URL

MAX_NESTING: Final = 40

# Cells that a table may have beyond its number of characters: the parser fills up short rows.
_SPARE_CELLS: Final = 2_000
_SAFE_LINK = re.compile(r"https?://[^\s/?#]|mailto:[^\s@]+@[^\s@]", re.IGNORECASE)
_CARRIAGE_RETURN = re.compile(r"\r(?!\n)")

_GRAMMAR: Final[PresetType] = {
    "options": {
        "maxNesting": MAX_NESTING,
        "html": False,
        "linkify": False,
        "typographer": False,
        "quotes": "“”‘’",
        "xhtmlOut": False,
        "breaks": True,
        "langPrefix": "",
        "highlight": None,
        "tasklists": True,
    },
    "components": {
        "core": {"rules": ["normalize", "block", "inline", "text_join"]},
        # Without `reference`: blocks are parsed one by one, and a definition would vanish from the page.
        "block": {
            "rules": [
                "table",
                "code",
                "fence",
                "blockquote",
                "hr",
                "list",
                "heading",
                "lheading",
                "paragraph",
            ]
        },
        "inline": {
            "rules": [
                "text",
                "newline",
                "escape",
                "backticks",
                "strikethrough",
                "emphasis",
                "link",
                "image",
                "autolink",
                "entity",
            ],
            "rules2": ["balance_pairs", "strikethrough", "emphasis", "fragments_join"],
        },
    },
}


class _Parser(MarkdownIt):
    """A parser that takes no links but those to the web and to mail."""

    def __init__(self) -> None:
        super().__init__("zero")
        self.inline = CjkInlineParser()
        self.configure(_GRAMMAR)
        add_mathematics(self)
        self.block.ruler.at("table", _bounded_table, {"alt": ["paragraph", "reference"]})

    def validateLink(self, url: str) -> bool:  # noqa: N802 -- inherited
        """Tell whether an address may be linked."""
        return len(url) <= MAX_URL and _SAFE_LINK.match(url) is not None


def _bounded_table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:  # noqa: FBT001
    if start_line + 2 > end_line:
        return False
    head = state.src[state.bMarks[start_line] : state.eMarks[start_line]]
    if "|" not in head:
        return False
    cells = (head.count("|") + 1) * (end_line - start_line)
    length = state.eMarks[end_line - 1] - state.bMarks[start_line]
    return cells <= length + _SPARE_CELLS and table(state, start_line, end_line, silent)


_PARSER: Final = _Parser()


def parse(source: str) -> list[Token]:
    """Parse Markdown; a carriage return without a line feed is a space, as it is for the splitter."""
    if "\r" in source:
        source = _CARRIAGE_RETURN.sub(" ", source)
    return _PARSER.parse(source, {})
