"""What readers get of an answer: every character once, in order, from whatever place they come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.reading import Page, frames
from webapp.chat.live.blocks import open_block_start
from webapp.chat.live.feed import FRAMES_KEPT, Feed, Reader
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
