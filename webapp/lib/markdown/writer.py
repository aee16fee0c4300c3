"""Write the parser's tokens as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Final

from markdown_it.token import Token

from webapp.lib.markdown.formulas import mathml
from webapp.lib.markdown.highlighting import highlight, label

MAX_URL: Final = 2_000

_PLAIN: Final = {
    "paragraph_open": "<p>",
    "paragraph_close": "</p>\n",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "em_open": "<em>",
    "em_close": "</em>",
    "s_open": "<s>",
    "s_close": "</s>",
    "softbreak": "<br>\n",
    "hardbreak": "<br>\n",
    "hr": "<hr>\n",
    "bullet_list_open": "<ul>\n",
    "bullet_list_close": "</ul>\n",
    "ordered_list_close": "</ol>\n",
    "list_item_close": "</li>\n",
    "blockquote_open": "<blockquote>\n",
    "blockquote_close": "</blockquote>\n",
    "table_open": '<div class="table-wrap" tabindex="0"><table>\n',
    "table_close": "</table></div>\n",
    "thead_open": "<thead>",
    "thead_close": "</thead>\n",
    "tbody_open": "<tbody>",
    "tbody_close": "</tbody>",
    "tr_open": "<tr>",
    "tr_close": "</tr>\n",
    "th_close": "</th>",
    "td_close": "</td>",
}
_HEADINGS: Final = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6", "h6": "h6"}
_ALIGNMENTS: Final = {"text-align:right": ' class="ta-r"', "text-align:center": ' class="ta-c"'}

# A bare address ends before anything that cannot be part of one, Chinese punctuation included.
_ADDRESS: Final = re.compile(r"(?<![A-Za-z0-9])https?://[A-Za-z0-9\[][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_NOT_AT_THE_END: Final = ".,;:!?'*_~"
_BRACKETS: Final = {")": "(", "]": "["}

# The script of the page gives the button its words and picture, and shows it; lib knows no language.
_COPY: Final = '<button type="button" class="btn btn-ghost btn-sm push" data-copy hidden></button>'


def write(tokens: Sequence[Token]) -> str:
    """Return the HTML of a parsed text; everything from the source is escaped."""
    writer = _Writer()
    writer.write(tokens)
    return "".join(writer.parts)


class _Writer:
    """Collects the HTML of one text."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._links = 0  # how many <a> are open: they may not be nested
        self._silent_links: list[bool] = []
        self._task = ""  # the box of a list item, due before its first words

    def write(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.hidden:
                continue
            if token.type == "text":
                self._text(token)
            elif (plain := _PLAIN.get(token.type)) is not None:
                self.parts.append(plain)
            else:
                _WRITERS[token.type](self, token)

    def inline(self, token: Token) -> None:
        if self._task:
            self.parts.append(self._task)
            self._task = ""
        self.write(token.children or ())

    def _text(self, token: Token) -> None:
        text = token.content
        if "://" in text and not self._links:
            self._text_with_addresses(text)
        else:
            self.parts.append(html.escape(text, quote=False))

    def _text_with_addresses(self, text: str) -> None:
        done = 0
        for match in _ADDRESS.finditer(text):
            if len(match[0]) > MAX_URL:
                continue
            address = _trimmed(match[0])
            end = match.start() + len(address)
            self.parts.append(html.escape(text[done : match.start()], quote=False))
            self.parts.append(f"{_anchor(address)}{html.escape(address, quote=False)}</a>")
            done = end
        self.parts.append(html.escape(text[done:], quote=False))

    def heading_open(self, token: Token) -> None:
        self.parts.append(f"<{_HEADINGS[token.tag]}>")

    def heading_close(self, token: Token) -> None:
        self.parts.append(f"</{_HEADINGS[token.tag]}>\n")

    def ordered_list_open(self, token: Token) -> None:
        start = token.attrs.get("start")
        self.parts.append("<ol>\n" if start is None else f'<ol start="{start}">\n')

    def list_item_open(self, token: Token) -> None:
        checked = token.meta.get("checked")
        if checked is None:
            self.parts.append("<li>")
        else:
            self.parts.append('<li class="task">')
            self._task = "☑ " if checked else "☐ "

    def cell_open(self, token: Token) -> None:
        self.parts.append(f"<{token.tag}{_ALIGNMENTS.get(str(token.attrs.get('style')), '')}>")

    def link_open(self, token: Token) -> None:
        href = str(token.attrs.get("href", ""))
        silent = not href or self._links > 0
        self._silent_links.append(silent)
        if not silent:
            self._links += 1
            self.parts.append(_anchor(href))

    def link_close(self, token: Token) -> None:  # noqa: ARG002 -- one signature for all
        if not self._silent_links.pop():
            self._links -= 1
            self.parts.append("</a>")

    def image(self, token: Token) -> None:
        """Write a link in place of the picture: fetching it would tell its host that the answer was read."""
        source = str(token.attrs.get("src", ""))
        words = _words(token.children or ()).strip() or source
        escaped = html.escape(words, quote=False)
        self.parts.append(escaped if self._links or not source else f"{_anchor(source)}{escaped}</a>")

    def code_inline(self, token: Token) -> None:
        self.parts.append(f"<code>{html.escape(token.content, quote=False)}</code>")

    def code_block(self, token: Token) -> None:
        self.parts.append(_code(token.content, token.info))

    def math_inline(self, token: Token) -> None:
        formula = mathml(token.content, block=False)
        self.parts.append(formula or f"<code>{html.escape(token.content, quote=False)}</code>")

    def math_block(self, token: Token) -> None:
        formula = mathml(token.content, block=True)
        if formula:
            self.parts.append(f'<div class="mathbox" tabindex="0">{formula}</div>\n')
        else:
            self.parts.append(_code(token.content, "latex"))


_WRITERS: Final[dict[str, Callable[[_Writer, Token], None]]] = {
    "inline": _Writer.inline,
    "heading_open": _Writer.heading_open,
    "heading_close": _Writer.heading_close,
    "ordered_list_open": _Writer.ordered_list_open,
    "list_item_open": _Writer.list_item_open,
    "th_open": _Writer.cell_open,
    "td_open": _Writer.cell_open,
    "link_open": _Writer.link_open,
    "link_close": _Writer.link_close,
    "image": _Writer.image,
    "code_inline": _Writer.code_inline,
    "code_block": _Writer.code_block,
    "fence": _Writer.code_block,
    "math_inline": _Writer.math_inline,
    "math_block": _Writer.math_block,
}


def _anchor(address: str) -> str:
    return f'<a href="{html.escape(address)}">'  # rel and target are the sanitiser's


def _code(code: str, info: str) -> str:
    name = html.escape(label(info), quote=False)
    body = highlight(code.removesuffix("\n"), info)
    return (
        f'<div class="code"><header>{name}{_COPY}</header><pre tabindex="0"><code>{body}</code></pre></div>\n'
    )


def _trimmed(address: str) -> str:
    """Return a bare address without the punctuation of the sentence that it stands in."""
    while address:
        last = address[-1]
        opening = _BRACKETS.get(last)
        if last not in _NOT_AT_THE_END and not (opening and address.count(last) > address.count(opening)):
            break
        address = address[:-1]
    return address


def _words(tokens: Sequence[Token]) -> str:
    return "".join(_words(token.children) if token.children else token.content for token in tokens)
