"""What people do on the chat page, as steps for the tests."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


def ask(page: Page, text: str, model: str = "scripted-echo") -> Locator:
    """Send a question with the Enter key and return the article of its answer, whatever its state."""
    expect(page.locator("[data-send]")).to_be_disabled()  # as soon as the page's scripts have begun
    count = page.locator("article.answer").count()
    page.get_by_label("Model", exact=True).select_option(model)
    page.get_by_label("Message").fill(text)
    page.get_by_label("Message").press("Enter")
    answer = page.locator("article.answer").nth(count)
    expect(answer).to_be_visible()
    return answer


def ask_and_wait(page: Page, text: str, model: str = "scripted-echo") -> Locator:
    """Send a question and return its answer once that has ended."""
    answer = ask(page, text, model)
    expect_ended(answer)
    return answer


def expect_ended(answer: Locator, state: str = "complete") -> None:
    """Wait until an answer has ended so, and its place shows what can be done with it."""
    expect(answer).to_have_attribute("data-state", state)
    expect(answer.locator(".foot")).to_be_visible()


def expect_text(answer: Locator, text: str) -> None:
    """Wait until an answer has come as far as this text."""
    expect(answer.locator("[data-prose]")).to_contain_text(text)


def words_of(answer: Locator) -> list[int]:
    """Return the numbers of the words that an answer of `scripted-slow` shows; the last may be cut."""
    return [
        int(number) for number in re.findall(r"word(\d+)\b(?= )", answer.locator("[data-prose]").inner_text())
    ]


def expect_no_gap(answer: Locator) -> int:
    """Check that every word up to the last stands there once, and return how many there are."""
    numbers = words_of(answer)
    assert numbers == list(range(len(numbers))), numbers
    return len(numbers)
