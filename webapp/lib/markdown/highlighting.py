"""Source code as HTML with classes for its parts; no styles, and few enough classes for one short style sheet."""

from __future__ import annotations

import html
import importlib
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from pygments.lexer import Lexer
from pygments.token import Token, _TokenType

from webapp.lib.markdown.languages import LANGUAGES, PLAIN, Language

MAX_HIGHLIGHTED: Final = 20_000
MAX_LABEL: Final = 24

# Some lexers' regular expressions take quadratic time on hostile text, within one match (hence the bounds on lines and
# on white space) or over many (hence the budget; ordinary code takes about 4 µs a character). The budget is in
# processor time of this thread, so that a busy machine does not change the outcome.
_LONGEST_LINE: Final = 1_000
_MUCH_SPACE: Final = re.compile(r"\s{150}")
_BUDGET_SECONDS: Final = 0.010
_BUDGET_SECONDS_PER_CHARACTER: Final = 20e-6
_TOKENS_BETWEEN_LOOKS: Final = 16

CLASSES: Final[dict[Any, str]] = {
    Token.Comment: "c",
    Token.Comment.Preproc: "k",
    Token.Generic.Deleted: "gd",
    Token.Generic.Heading: "k",
    Token.Generic.Inserted: "gi",
    Token.Generic.Subheading: "k",
    Token.Keyword: "k",
    Token.Keyword.Constant: "kc",
    Token.Literal.Number: "mi",
    Token.Literal.String: "s",
    Token.Name.Attribute: "nf",
    Token.Name.Class: "nf",
    Token.Name.Decorator: "nf",
    Token.Name.Function: "nf",
    Token.Name.Tag: "k",
    Token.Operator.Word: "ow",
}
"""The class of each kind of token; a kind that is absent has its parent's, and most have none."""


class _TooSlowError(Exception):
    """The budget for one block of code is used up."""


def label(info: str) -> str:
    """Return the name to show for a fence's info string: the language's, else what was written, shortened."""
    name = _name(info)
    if name in PLAIN:
        return ""
    language = LANGUAGES.get(name)
    return language.label if language else info.split(maxsplit=1)[0][:MAX_LABEL]


def highlight(code: str, info: str) -> str:
    """Return the code, escaped, with `<span class=…>` around its parts where the language is known.

    Code that is longer than `MAX_HIGHLIGHTED`, or not shaped like code, or too slow to read, has no spans.
    """
    language = LANGUAGES.get(_name(info))
    if language is None or not _is_ordinary(code):
        return html.escape(code, quote=False)
    try:
        return _spans(code, _lexer(language))
    except _TooSlowError:
        return html.escape(code, quote=False)


def _is_ordinary(code: str) -> bool:
    if len(code) > MAX_HIGHLIGHTED or _MUCH_SPACE.search(code):
        return False
    return max(map(len, code.split("\n"))) <= _LONGEST_LINE


def _name(info: str) -> str:
    words = info.split(maxsplit=1)
    return words[0].strip("{.}").partition("{")[0].partition(":")[0].lower() if words else ""


def _spans(code: str, lexer: Lexer) -> str:
    deadline = time.thread_time() + _BUDGET_SECONDS + _BUDGET_SECONDS_PER_CHARACTER * len(code)
    parts: list[str] = []
    current, texts = "", list[str]()
    for number, (kind, text) in enumerate(lexer.get_tokens(code)):
        if number % _TOKENS_BETWEEN_LOOKS == 0 and time.thread_time() > deadline:
            raise _TooSlowError
        class_ = _class_of(kind)
        if class_ != current:
            parts.append(_span("".join(texts), current))
            current, texts = class_, []
        texts.append(text)
    parts.append(_span("".join(texts).removesuffix("\n"), current))
    return "".join(parts)


def _span(text: str, class_: str) -> str:
    escaped = html.escape(text, quote=False)
    return f'<span class="{class_}">{escaped}</span>' if class_ and text else escaped


def _class_of(kind: _TokenType) -> str:
    known = _class_by_kind.get(kind)
    if known is None:
        ancestors = reversed(kind.split())
        known = next((CLASSES[each] for each in ancestors if each in CLASSES), "")
        _class_by_kind[kind] = known
    return known


_class_by_kind: dict[_TokenType, str] = {}
_lexer_classes: dict[Language, type[Lexer]] = {}


def _native_lock() -> AbstractContextManager[Any]:
    """Return a lock that also holds between native threads under gevent (long answers are rendered in its pool)."""
    try:
        from gevent import monkey
    except ImportError:
        return threading.Lock()
    allocate_lock: Callable[[], AbstractContextManager[Any]] = monkey.get_original("_thread", "allocate_lock")
    return allocate_lock()


# Pygments compiles a lexer's tables when its first instance is made, in place and without a lock.
_compiling: Final = _native_lock()


def _lexer(language: Language) -> Lexer:
    class_ = _lexer_classes.get(language)
    if class_ is None:
        with _compiling:
            classes = [_load(language.module, name) for name in language.lexers]
            for each in classes:
                each()
            class_ = _lexer_classes[language] = classes[0]
    return class_(stripnl=False)


def _load(module: str, name: str) -> type[Lexer]:
    *other, class_name = name.split(".")
    loaded = importlib.import_module(f"pygments.lexers.{other[0] if other else module}")
    class_: type[Lexer] = getattr(loaded, class_name)
    return class_
