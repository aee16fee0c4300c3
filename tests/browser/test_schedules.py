"""Schedules in the browser: of a message, with a preview while it is typed, asked at once, the answer opened."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.talking import ask_and_wait
from tests.people import Person

pytestmark = pytest.mark.browser


def test_message_is_scheduled_previewed_asked_and_its_answer_opened(chat: Page) -> None:
    ask_and_wait(chat, "What is new on Mars?")
    turn = chat.locator(".turn").first
    turn.hover()
    turn.get_by_role("link", name="Schedule this").click()
    expect(chat.get_by_label("What to ask")).to_have_value("What is new on Mars?")
    expect(chat.locator("[data-preview] li")).to_have_count(5)
    chat.get_by_label("Again and again").check()
    expect(chat.locator("[data-preview]")).to_contain_text("every hour")
    expect(chat.get_by_label("Cron expression", exact=True)).to_be_hidden()
    chat.get_by_label("Name", exact=True).fill("Mars")
    chat.get_by_role("button", name="Schedule it").click()
    expect(chat.get_by_role("heading", name="Mars", level=1)).to_be_visible()
    chat.get_by_role("button", name="Run now").click()
    link = chat.get_by_role("link", name="Open the answer")
    expect(link).to_be_visible()
    expect(chat.get_by_text("Answered")).to_be_visible()
    link.click()
    expect(chat.locator("article.answer [data-prose]")).to_contain_text("What is new on Mars?")
    expect(chat.locator("#sidebar").get_by_text(re.compile("^Mars · "))).to_be_visible()


def test_without_script_the_preview_has_a_button(open_browser: Callable[..., Page], person: Person) -> None:
    plain = sign_in(open_browser(java_script_enabled=False, viewport={"width": 390, "height": 800}), person)
    plain.goto("/schedules/new")
    plain.get_by_label("What to ask").fill("What is new?")
    plain.get_by_label("Monday to Friday").check()
    expect(plain.get_by_label("Cron expression", exact=True)).to_be_hidden()
    plain.get_by_role("button", name="Show the next five").click()
    expect(plain.locator("[data-preview] li")).to_have_count(5)
    plain.get_by_role("button", name="Schedule it").click()
    expect(plain.get_by_role("heading", name="What is new?", level=1)).to_be_visible()
    assert plain.evaluate("document.documentElement.scrollWidth") <= 390
