"""The last gate before a page: only what the writer is known to produce passes."""

from __future__ import annotations

from typing import Final

import nh3

from webapp.lib.markdown import formulas
from webapp.lib.markdown.highlighting import CLASSES

LINK_SCHEMES: Final = frozenset({"http", "https", "mailto"})

_TAGS: Final = (
    {
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
    }
    | {"pre", "div", "header", "button", "span", "table", "thead", "tbody", "tr", "th", "td"}
    | formulas.TAGS
)
_ATTRIBUTES: Final = {
    "a": {"href"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "div": {"tabindex"},
    "button": {"data-copy", "hidden"},
    "math": {"display"},
} | {tag: set(formulas.ATTRIBUTES) for tag in formulas.TAGS - {"math"}}
_CELL_CLASSES: Final = {"ta-l", "ta-c", "ta-r"}

_CLEANER: Final = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    url_schemes=set(LINK_SCHEMES),
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    tag_attribute_values={"button": {"type": {"button"}}},
    allowed_classes={
        "div": {"code", "mathbox", "table-wrap"},
        "button": {"btn", "btn-ghost", "btn-sm", "push"},
        "li": {"task"},
        "span": set(CLASSES.values()),
        "th": _CELL_CLASSES,
        "td": _CELL_CLASSES,
        "mtd": _CELL_CLASSES,
    },
)


def clean(html: str) -> str:
    """Return the HTML without any element, attribute, class or link that an answer may not have."""
    return _CLEANER.clean(html)
