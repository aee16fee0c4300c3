"""What readers get of an answer: every character once, in order, from whatever place they come."""

from __future__ import annotations

import random
import re
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.reading import Page, frames
from webapp.chat.live.blocks import open_block_start
from webapp.chat.live.feed import FRAMES_KEPT, Feed, Reader, Retired
from webapp.chat.live.position import Position, parse
from webapp.chat.rules import AnswerState
from webapp.lib import markdown

SAMPLE = (
    "# Title\n\nA first paragraph of **some** words.\n\n- one\n- two\n\n```python\nprint('x')\n\nprint('y')\n```\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n第二段，**注意：**后面还有 $x^2$ 的内容。\n\nThe end"
)


class Browser(Page):
    """A page with its reader."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = Reader(None, 1)


def assert_whole(browser: Browser, text: str) -> None:
    assert browser.state == "complete"
    assert browser.tail == ""
    assert browser.html == markdown.render(text)


@given(text=st.one_of(st.just(SAMPLE), st.text("ab *`#-\n|>$1.中\r", max_size=120)), data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_cuts_and_reconnects_give_the_whole_text(text: str, data: st.DataObject) -> None:
    feed = Feed()
    steady, restless = Browser(), Browser()
    steady.take(feed.join(steady.reader, None))
    restless.take(feed.join(restless.reader, None))
    rest = text
    while rest:
        cut = data.draw(st.integers(1, max(1, min(30, len(rest)))))
        feed.add_text(rest[:cut])
        rest = rest[cut:]
        steady.take(feed.since(steady.reader))
        if data.draw(st.booleans()):
            restless.take(feed.since(restless.reader))
        if (
            data.draw(st.integers(0, 3)) == 0
        ):  # the connection breaks, and the browser comes back with its last id
            feed.leave(restless.reader)
            restless.reader = Reader(None, 1)
            restless.take(feed.join(restless.reader, parse(restless.id)))
    feed.finish(AnswerState.COMPLETE)
    for browser in (steady, restless):
        browser.take(feed.since(browser.reader))
        assert_whole(browser, text)


def test_a_late_reader_gets_a_snapshot() -> None:
    feed = Feed()
    feed.add_text(SAMPLE[:60])
    browser = Browser()
    browser.take(feed.join(browser.reader, None))
    start = open_block_start(SAMPLE[:60])
    assert browser.tail == SAMPLE[start:60]
    assert browser.html == "".join(
        markdown.render_block(s) for s in [SAMPLE[:9], SAMPLE[9:start]] if s.strip()
    )


@pytest.mark.parametrize("position", [Position(10_000), Position(0, 99)])
def test_a_position_beyond_the_text_gets_a_snapshot(position: Position) -> None:
    feed = Feed("abc")
    data = feed.join(Reader(None, 1), position)
    assert frames(data)[0][0] == "snapshot"


def test_reasoning_is_apart_and_resumes_exactly() -> None:
    feed = Feed()
    browser = Browser()
    browser.take(feed.join(browser.reader, None))
    feed.add_reasoning("Let me ")
    feed.add_reasoning("think.")
    browser.take(feed.since(browser.reader))
    assert browser.id == "0.13"
    feed.leave(browser.reader)
    feed.add_reasoning(" Yes.")
    feed.add_text("Answer")
    browser.reader = Reader(None, 1)
    browser.take(feed.join(browser.reader, parse(browser.id)))
    assert (browser.reasoning, browser.tail) == ("Let me think. Yes.", "Answer")


def test_a_reader_slower_than_the_frames_are_kept_catches_up() -> None:
    feed = Feed()
    slow = Browser()
    slow.take(feed.join(slow.reader, None))
    text = "".join(f"word{number} " for number in range(3 * FRAMES_KEPT))
    for word in text.split(" ")[:-1]:
        feed.add_text(word + " ")
    feed.finish(AnswerState.COMPLETE)
    slow.take(feed.since(slow.reader))
    assert_whole(slow, text)


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns a thousand times as often as they do by themselves."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 1_000)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("seed", range(4))
def test_writer_and_readers_in_threads_of_their_own(restless: None, seed: int) -> None:
    """Readers come, read and leave while the writer writes; the text has blocks that take long to render."""
    text = (SAMPLE + "\n\n```python\n" + "x = [1, 2, 3]  # words\n" * 150 + "```\n\n") * 6
    feed, browsers = Feed(), [Browser() for _ in range(8)]

    def write() -> None:
        chance, rest = random.Random(seed), text
        while rest:
            cut = chance.randint(1, 400)
            feed.add_text(rest[:cut])
            rest = rest[cut:]
            feed.ring()
            time.sleep(0)
        feed.finish(AnswerState.COMPLETE)
        feed.ring()

    def browse(browser: Browser) -> None:
        chance = random.Random(id(browser))
        browser.take(feed.join(browser.reader, None))
        while browser.state == "streaming":
            browser.reader.bell.wait()
            browser.reader.bell.clear()
            browser.take(feed.since(browser.reader))
            if chance.random() < 0.2:
                feed.leave(browser.reader)
                browser.reader = Reader(None, 1)
                browser.take(feed.join(browser.reader, parse(browser.id)))

    threads = [threading.Thread(target=browse, args=(browser,)) for browser in browsers]
    threads.append(threading.Thread(target=write))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for browser in browsers:
        assert_whole(browser, text)


ACTIVE = re.compile(
    r"<(?:script|img|iframe|svg|style|object|embed|form|base|link|meta)\b|\bon\w+\s*=\s*[^&]|javascript:",
    re.IGNORECASE,
)
ATTACKS = [
    "<script>alert(1)</script>",
    "a <img src=x onerror=alert(1)> b\n\nc",
    "<svg/onload=alert(1)>\n\n",
    "[x](javascript:alert(1))\n\n[y](data:text/html,<script>alert(1)</script>)\n",
    "![x](https://evil.example/p.png)\n",
    "```\n</code></pre><script>alert(1)</script>\n```\n",
    '<a href="https://e.example" onclick="alert(1)">x</a>\n\n<style>*{background:url(//e.example)}</style>\n',
    "$$\\href{javascript:alert(1)}{x}$$\n",
    "<scr<script>ipt>alert(1)</scr</script>ipt>\n\n<iframe srcdoc='<script>alert(1)</script>'>\n",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_payload_cut_across_chunks_stays_text(attack: str) -> None:
    """L2: whatever stands in the page as HTML is harmless, wherever the payload is cut, for whoever comes when."""
    for cut in range(len(attack) + 1):
        feed, steady, late = Feed(), Browser(), Browser()
        steady.take(feed.join(steady.reader, None))
        for number, piece in enumerate((attack[:cut], attack[cut:])):
            feed.add_text(piece)
            steady.take(feed.since(steady.reader))
            if number == 0:
                late.take(feed.join(late.reader, Position(cut // 2)))
            for browser in (steady, late):
                assert not ACTIVE.search(without_text(browser.html)), browser.html
        feed.finish(AnswerState.COMPLETE)
        steady.take(feed.since(steady.reader))
        assert_whole(steady, attack)
        assert not ACTIVE.search(without_text(steady.html)), steady.html


def without_text(page: str) -> str:
    """Return the tags alone, which is where something could become active."""
    return "".join(re.findall(r"<[^>]*>", page))


def test_a_closed_feed_takes_nobody_in() -> None:
    feed = Feed("abc")
    reader = Reader(None, 1)
    feed.join(reader, None)
    assert not feed.retire()
    feed.leave(reader)
    assert feed.retire()
    with pytest.raises(Retired):
        feed.join(reader, None)


def test_a_reader_at_the_end_has_only_the_end_rendered() -> None:
    """What costs is rendering: a reader who comes back near the end of a long answer pays for the rest alone."""
    text = "".join(f"Paragraph number {number}.\n\n" for number in range(300))
    feed = Feed(text)
    reader = Reader(None, 1)
    feed.join(reader, Position(len(text) - 3))
    assert len(feed._blocks.unrendered(text, 0)) > 290


def test_ended_feed_replays_and_ends() -> None:
    feed = Feed(SAMPLE)
    feed.finish(AnswerState.COMPLETE)
    browser = Browser()
    browser.take(feed.join(browser.reader, Position(5)))
    assert browser.state == "complete"
    assert browser.reader.position.ended
    assert str(browser.id).endswith(".end")


@pytest.mark.parametrize("value", ["", "x", "-1", "1.2.3", "9" * 12, "1.", ".end", "1;DROP", None])
def test_bad_positions_are_none(value: str | None) -> None:
    assert parse(value) is None


@given(text=st.integers(0, 10**8), reasoning=st.integers(0, 10**8), ended=st.booleans())
def test_position_round_trip(text: int, reasoning: int, ended: bool) -> None:
    position = Position(text, reasoning, ended)
    assert parse(str(position)) == position
