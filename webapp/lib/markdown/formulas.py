r"""LaTeX mathematics to MathML.

The converter's own text form is not used: it writes the content of `\text{…}` without escaping, and carries `href`,
`style` and `class` from commands of the same name. Its element tree is written here instead, by an allow-list.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import Converter

from webapp.lib.markdown.lines import MAX_MATH_LENGTH

MAX_DEPTH: Final = 40

_LENGTH = r"[+-]?(?:\d?(?:\.\d{1,3})?em|\d{0,2}(?:\.\d{1,3})?(?:ex|pt|px|mu)|0)"
_SWITCH = r"true|false"

TAGS: Final = frozenset(
    {"math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "msub", "msup", "msubsup", "munder", "mover"}
    | {
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
)
ATTRIBUTES: Final = {
    name: re.compile(pattern)
    for name, pattern in {
        "accent": _SWITCH,
        "columnalign": r"left|center|right",
        "columnlines": r"(?:none|solid|dashed)(?: (?:none|solid|dashed)){0,20}",
        "columnspacing": rf"{_LENGTH}(?: {_LENGTH}){{0,20}}",
        "depth": _LENGTH,
        "displaystyle": _SWITCH,
        "fence": _SWITCH,
        "form": r"prefix|infix|postfix",
        "height": _LENGTH,
        "linethickness": _LENGTH,
        "lspace": _LENGTH,
        "mathvariant": r"[a-z-]{1,24}",
        "maxsize": _LENGTH,
        "minsize": _LENGTH,
        "movablelimits": _SWITCH,
        "notation": r"[a-z]{1,24}(?: [a-z]{1,24}){0,4}",
        "rowlines": r"(?:none|solid|dashed)(?: (?:none|solid|dashed)){0,99}",
        "rowspacing": _LENGTH,
        "rspace": _LENGTH,
        "scriptlevel": r"[+-]?\d",
        "separator": _SWITCH,
        "stretchy": _SWITCH,
        "voffset": _LENGTH,
        "width": _LENGTH,
    }.items()
}
# Browsers ignore `columnalign` (it is not in MathML Core) but align by CSS.
ALIGNMENT_CLASSES: Final = {"left": "ta-l", "right": "ta-r"}

_CHILDREN = {
    "mfrac": 2,
    "mroot": 2,
    "msub": 2,
    "msup": 2,
    "msubsup": 3,
    "munder": 2,
    "mover": 2,
    "munderover": 3,
}
_DEFINITION = re.compile(r"\\(?:(?:re)?new|provide|def|edef|gdef|xdef|let|DeclareMathOperator)(?![a-z]*line)")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_ENVIRONMENTS = {
    "align": "align*",
    "aligned": "align*",
    "alignedat": "align*",
    "alignat": "align*",
    "alignat*": "align*",
    "dcases": "cases",
    "eqnarray": "align*",
    "eqnarray*": "align*",
    "flalign": "align*",
    "flalign*": "align*",
    "gather": "matrix",
    "gather*": "matrix",
    "gathered": "matrix",
    "multline": "matrix",
    "multline*": "matrix",
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([a-z]+\*?)\}(?:(?<=at\}|t\*\})\{\d{1,2}\})?")
_ALONE = re.compile(
    r"\\(?:begin|end)\s*\{(?:equation|displaymath|math)\*?\}|\\label\s*\{[^{}]*\}|\\(?:nonumber|notag)\b"
)
_ONE_UPRIGHT_LETTER = re.compile(r"\\mathrm\{([A-Za-z])\}")

# latex2mathml reports bad input by its own exceptions and, where it did not think of a case, by whatever its lists,
# look-ups and recursion raise.
_INVALID: Final[tuple[type[Exception], ...]] = (
    *(e for e in vars(exceptions).values() if isinstance(e, type) and issubclass(e, Exception)),
    AttributeError,
    LookupError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


@lru_cache(maxsize=1024)
def mathml(latex: str, *, block: bool) -> str | None:
    """Return the `<math>` element for a formula, or None if the formula is not valid or too large."""
    if len(latex) > MAX_MATH_LENGTH or not _balanced(latex) or _DEFINITION.search(latex):
        return None
    try:
        tree = Converter(display="block" if block else "inline").convert_to_element(_prepare(latex))
        parts: list[str] = []
        for child in tree:
            _write(child, parts, 0)
    except _INVALID:
        return None
    opening = '<math display="block">' if block else "<math>"
    return f"{opening}{''.join(parts)}</math>"


def _balanced(latex: str) -> bool:
    depth = 0
    for match in _BRACE.finditer(latex):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            depth -= 1
        if not 0 <= depth <= MAX_DEPTH:
            return False
    return depth == 0


def _prepare(latex: str) -> str:
    """Translate what the converter does not know into what it does."""
    latex = _ONE_UPRIGHT_LETTER.sub(r"\\mathrm {\1}", _ALONE.sub("", latex))
    return _ENVIRONMENT.sub(_environment, latex)


def _environment(match: re.Match[str]) -> str:
    name = match[2]
    if name not in _ENVIRONMENTS:
        return match[0]
    return rf"\{match[1]}{{{_ENVIRONMENTS[name]}}}"


def _write(element: Element, parts: list[str], depth: int) -> None:
    tag, raw = element.tag, element.text or ""
    if tag not in TAGS or depth > MAX_DEPTH:
        raise ValueError(tag)
    if len(element) != _CHILDREN.get(tag, len(element)):
        raise ValueError(tag)
    if raw.startswith("\\") and len(raw) > 1 and tag != "mtext":
        raise ValueError(raw)  # a command that the converter does not know
    parts.append(f"<{tag}{_attributes(element)}>")
    parts.append(html.escape(html.unescape(raw), quote=False))
    for child in element:
        _write(child, parts, depth + 1)
    parts.append(f"</{tag}>")


def _attributes(element: Element) -> str:
    written = ""
    for name, value in element.items():
        allowed = ATTRIBUTES.get(name)
        if allowed and allowed.fullmatch(value):
            written += f' {name}="{value}"'
        if name == "columnalign" and value in ALIGNMENT_CLASSES:
            written += f' class="{ALIGNMENT_CLASSES[value]}"'
    return written
