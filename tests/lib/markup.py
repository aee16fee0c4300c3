"""Read back the HTML of answers, and hold it against what an answer may contain."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from webapp.lib import markdown

HTML_TAGS = {
    "p",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "hr",
    "br",
    "strong",
    "em",
    "s",
    "a",
    "code",
    "pre",
    "div",
    "header",
    "button",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
MATH_TAGS = {
    "math",
    "mrow",
    "mi",
    "mn",
    "mo",
    "ms",
    "mtext",
    "mspace",
    "msub",
    "msup",
    "msubsup",
    "munder",
    "mover",
    "munderover",
    "mfrac",
    "msqrt",
    "mroot",
    "mtable",
    "mtr",
    "mtd",
    "mstyle",
    "mpadded",
    "mphantom",
    "menclose",
}
ATTRIBUTES = {
    "href",
    "rel",
    "target",
    "class",
    "tabindex",
    "start",
    "type",
    "hidden",
    "data-copy",
    "display",
    "accent",
    "columnalign",
    "columnlines",
    "columnspacing",
    "depth",
    "displaystyle",
    "fence",
    "form",
    "height",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "notation",
    "rowlines",
    "rowspacing",
    "rspace",
    "scriptlevel",
    "separator",
    "stretchy",
    "voffset",
    "width",
}
CLASSES = {
    "code",
    "mathbox",
    "table-wrap",
    "btn",
    "btn-ghost",
    "btn-sm",
    "push",
    "task",
    "ta-l",
    "ta-c",
    "ta-r",
    "c",
    "k",
    "s",
    "gd",
    "gi",
    "kc",
    "mi",
    "nf",
    "ow",
}
VOID = {"hr", "br"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and what no answer may contain."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.faults: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in HTML_TAGS | MATH_TAGS:
            self.faults.append(f"<{tag}>")
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag == "a":
            given = dict(attrs)
            if given.get("rel") != "noopener noreferrer nofollow" or given.get("target") != "_blank":
                self.faults.append(f"link without rel and target: {given}")
            if self._open.count("a") > 1:
                self.faults.append("a link in a link")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name not in ATTRIBUTES:
            self.faults.append(f"{tag} {name}")
        if name == "class" and not set(value.split()) <= CLASSES:
            self.faults.append(f"class {value}")
        if name == "href":
            self.links.append(value)
            if tag != "a" or not re.match(r"(?:https?://|mailto:)", value, re.IGNORECASE):
                self.faults.append(f"link to {value}")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"instruction {data}")


def page(source: str) -> Page:
    """Render a text and read it back; it may contain nothing that is forbidden."""
    read = Page(markdown.render(source))
    assert not read.faults, read.faults
    return read


def ends(chunks: list[str]) -> list[int]:
    """Return the ends of the blocks of a text that arrives in chunks."""
    splitter = markdown.BlockSplitter()
    found = [end for chunk in chunks for end in splitter.feed(chunk)]
    return found + splitter.finish()


def blocks(source: str) -> list[str]:
    """Return the blocks of a text."""
    found = ends([source])
    return [source[start:end] for start, end in zip([0, *found], found, strict=False)]
