"""Hostile texts end in reasonable time (R3): the suite's time-out is the bound, rendering is linear in the text."""

from __future__ import annotations

import sys
import threading

import pytest

from tests.lib.markup import page
from webapp.lib.markdown import BlockSplitter, render, render_block
from webapp.lib.markdown.languages import LANGUAGES

MARKS = [
    "[", "]", "*", "**a ", "_", "~", ">", "> ", "`", "`a``", "$", "$a ", "\\[", "\\(", "\\", "![", "![[", "[![", "[a](", "[a][",
    "](", "<", "<a@b.c>", "<https://", "<!--", "&", "&amp;", "https://", "http://a.b?", "- ", "1. ", "> - ", "|", "|a", "a**b",
    "*_", "*a_ ", "***a", "**（", "\n", " ", "\t", "\r", "\0", "\u3000", "a", "写", "$\\sqrt$ ", "~~a",
]  # fmt: skip
LINES = [
    "```\n", "$$\n", "\\[\n", "- a\n", "-\n", "- - a\n", "- [ ] a\n", "a|b\n-|-\nx\n", "\n# ", "=\n", "a\n=\n", "    a\n",
    "> a\n", "[x]: y\n", "~~~a\n", "* * *\n", "$$ $$\n", " - a\n  ", "1)\n\n ",
]  # fmt: skip
NESTED = [
    "[" * 20_000 + "a" + "](b)" * 20_000,
    "![" * 20_000 + "a" + "](b)" * 20_000,
    "*" * 50_000 + "a" + "*" * 50_000,
    "*a " * 10_000 + "b* " * 10_000,
    "> " * 10_000 + "a",
    "- " * 10_000 + "a",
    "".join(" " * (2 * depth) + "- a\n" for depth in range(400)),
    "".join("`" * length + "a" for length in range(400)),
    "$" + "{" * 20_000 + "}" * 20_000 + "$",
    "$" + "\\sqrt" * 700 + "x$",
    "$$" + "\\frac{" * 600 + "$$",
    "https://a.b/" + "(" * 50_000,
    "https://a.b/" + ")" * 50_000,
    "|" * 4_000 + "\n" + "|-" * 4_000 + "|\n" + "a\n" * 20_000,
    "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "a\n" * 20_000,
    "[a](" + "(" * 50_000,
    "- a\n" + "  [\n" * 20_000,
]


@pytest.mark.parametrize("unit", MARKS)
def test_repeated_marks(unit: str) -> None:
    page((unit * 100_000)[:100_000])


@pytest.mark.parametrize("unit", LINES)
def test_repeated_lines(unit: str) -> None:
    page((unit * 25_000)[:25_000])


@pytest.mark.parametrize("source", NESTED)
def test_nesting(source: str) -> None:
    page(source)


def test_a_table_is_not_filled_up_without_end() -> None:
    html = render("|a" * 100 + "|\n" + "|-" * 100 + "|\n" + "x\n" * 3_000)
    assert html.count("<td>") < 10_000


def test_one_character_at_a_time() -> None:
    splitter = BlockSplitter()
    text = "word " * 40_000
    ends = [end for character in text for end in splitter.feed(character)]
    assert [*ends, *splitter.finish()][-1] == len(text)


HOSTILE_CODE = [
    "a\n",
    "a ",
    "\n ",
    "a::",
    "=",
    "1.",
    '"\\',
    "(",
    "/*",
    "<<A\n",
    "a=" * 300 + "\n",
    "\\\n",
    "{%",
]


@pytest.mark.parametrize("language", sorted({each.label: name for name, each in LANGUAGES.items()}.values()))
def test_hostile_code(language: str) -> None:
    for unit in HOSTILE_CODE:
        page(f"```{language}\n{(unit * 5_000)[:5_000]}\n```")


def test_every_language_is_there() -> None:
    for name, language in LANGUAGES.items():
        assert page(f"```{name}\nif x = 1\n```").text.strip() == f"{language.label}if x = 1"


def test_long_code_is_not_highlighted() -> None:
    code = "x = 'a'\n" * 1_000
    assert '<span class="s">' in render(f"```python\n{code}```")
    assert "<span" not in render(f"```python\n{code * 3}```")


def test_the_deepest_text_needs_little_stack() -> None:
    """A request is already some frames deep when it renders, and a greenlet has no more than a thread."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(600)
    try:
        for source in [
            "> " * 100 + "a",
            "- " * 100 + "a",
            "[" * 100 + "a" + "](b)" * 100,
            "![" * 90 + "a" + "](b)" * 90,
        ]:
            page(source)
    finally:
        sys.setrecursionlimit(limit)


def test_threads_may_render_at_the_same_time() -> None:
    sources = [
        f"**{number}** $x_{number}$\n\n```{name}\nx = {number}\n```\n"
        for number, name in enumerate(LANGUAGES)
    ]
    expected = [render(source) for source in sources]
    results: dict[int, list[str]] = {}
    threads = [
        threading.Thread(
            target=lambda me=me: results.update({me: [render_block(s) and render(s) for s in sources]})
        )
        for me in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [results.get(me) for me in range(4)] == [expected] * 4
