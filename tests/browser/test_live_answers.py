"""An answer in the browser: live everywhere, unharmed by reloads, stopped from anywhere, continued after a crash."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults, Site, sign_in
from tests.browser.talking import ask, ask_and_wait, expect_ended, expect_no_gap, expect_text
from tests.people import Person

pytestmark = pytest.mark.browser
CONVERSATION = re.compile("/chat/.+")


def test_two_tabs_and_another_browser_show_the_same_answer(
    chat: Page, person: Person, open_browser: Callable[..., Page]
) -> None:
    ask(chat, "Go on", "scripted-slow")
    expect(chat).to_have_url(CONVERSATION)
    second_tab = chat.context.new_page()
    second_tab.goto(chat.url)
    elsewhere = sign_in(open_browser(), person)
    elsewhere.goto(chat.url)
    pages = (chat, second_tab, elsewhere)
    for page in pages:
        expect_text(page.locator("article"), "word60 ")
    for page in pages:
        assert expect_no_gap(page.locator("article")) > 50
    elsewhere.get_by_role("button", name="Stop answering").click()
    texts = set()
    for page in pages:
        expect_ended(page.locator("article"), "stopped")
        texts.add(page.locator("article [data-prose]").inner_text())
        expect(page.get_by_role("heading", name="You stopped this answer")).to_be_visible()
    assert len(texts) == 1


def test_reload_in_mid_answer_loses_and_repeats_nothing(chat: Page) -> None:
    ask(chat, "Go on", "scripted-slow")
    expect_text(chat.locator("article"), "word5 ")
    for word in (12, 20, 30):
        before = expect_no_gap(chat.locator("article"))
        chat.reload()
        assert expect_no_gap(chat.locator("article")) >= before
        expect_text(chat.locator("article"), f"word{word} ")
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(chat.locator("article"), "stopped")
    shown = chat.locator("article [data-prose]").inner_text()
    chat.reload()
    assert chat.locator("article [data-prose]").inner_text() == shown


def test_stopped_answer_is_continued(chat: Page) -> None:
    answer = ask(chat, "Go on", "scripted-slow")
    expect_text(answer, "word9 ")
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")
    before = answer.locator("[data-prose]").inner_text()
    expect(chat.get_by_role("button", name="Send")).to_be_visible()
    chat.get_by_role("button", name="Continue").click()
    expect(answer).to_have_attribute("data-state", "streaming")
    expect(chat.get_by_role("button", name="Stop answering")).to_be_visible()
    expect(answer.locator("[data-prose]")).to_contain_text("word0 word1 word2 word3")
    assert answer.locator("[data-prose]").inner_text().startswith(before)
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")


def test_killed_worker_leaves_the_text_and_an_answer_that_can_be_continued(
    chat: Page, site: Site, faults: Faults
) -> None:
    faults.expected += ["ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "503"]
    answer = ask(chat, "Go on", "scripted-slow")
    expect_text(answer, "word15 ")
    seen = answer.locator("[data-prose]").inner_text().rstrip()
    site.server.kill_worker()
    expect_ended(answer, "interrupted")
    expect(chat.get_by_role("heading", name="This answer stopped early")).to_be_visible()
    assert answer.locator("[data-prose]").inner_text().startswith(seen)
    expect(chat.locator("[data-net]")).to_be_hidden()
    chat.get_by_role("button", name="Continue").click()
    expect(answer).to_have_attribute("data-state", "streaming")
    expect(answer.locator("[data-prose]")).to_have_text(re.compile("word0 .*word0 .*word3 "))
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")
    assert answer.locator("[data-prose]").inner_text().startswith(seen)


def test_reader_who_scrolled_up_is_left_there(chat: Page) -> None:
    ask_and_wait(chat, "What can an answer hold?", "scripted-markdown")
    answer = ask(chat, "Go on", "scripted-slow")
    expect_text(answer, "word3 ")
    thread = chat.locator("[data-thread]")
    pill = chat.get_by_role("button", name="New text")
    expect(pill).to_be_hidden()
    thread.hover()
    chat.mouse.wheel(0, -2000)
    expect(pill).to_be_visible()
    at = thread.evaluate("element => element.scrollTop")
    expect_text(answer, "word25 ")
    assert thread.evaluate("element => element.scrollTop") == at
    pill.click()
    expect(pill).to_be_hidden()
    expect_text(answer, "word60 ")
    gap = "element => element.scrollHeight - element.scrollTop - element.clientHeight"
    assert thread.evaluate(gap) < 80
    expect(pill).to_be_hidden()
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")


def test_thinking_is_counted_then_folded(chat: Page) -> None:
    answer = ask(chat, "Is it?", "scripted-thinking")
    thoughts = answer.locator("details.think")
    expect(thoughts.locator("summary")).to_have_text("Thought for 1 s")
    expect_ended(answer)
    expect(thoughts).not_to_have_attribute("open", "")
    expect(thoughts.locator("summary")).to_have_text("Thought for 1 s")
    thoughts.locator("summary").click()
    expect(thoughts).to_contain_text("I should answer in one sentence")


def test_screen_readers_are_told_beginning_and_end(chat: Page) -> None:
    ask(chat, "Go on", "scripted-slow")
    expect_text(chat.locator("article"), "word2 ")
    status = chat.locator("[data-status]")
    expect(status).to_have_text("Answering")
    expect(chat.locator("article")).to_have_attribute("aria-busy", "true")
    assert chat.locator("article [aria-live], article[aria-live]").count() == 0
    chat.get_by_role("button", name="Stop answering").click()
    expect(status).to_have_text("Answer stopped")
    expect(chat.locator("article")).not_to_have_attribute("aria-busy", "true")


def test_offline_is_said_and_the_answer_is_whole_afterwards(chat: Page, faults: Faults) -> None:
    faults.expected += ["ERR_INTERNET_DISCONNECTED"]
    answer = ask(chat, "Go on", "scripted-slow")
    expect_text(answer, "word5 ")
    chat.context.set_offline(True)
    notice = chat.locator("[data-net]")
    expect(notice).to_contain_text("You are offline")
    chat.context.set_offline(False)
    expect(notice).to_be_hidden()
    expect_text(answer, "word90 ")
    expect_no_gap(answer)
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")
