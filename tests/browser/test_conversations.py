"""The list of chats: titles, renaming, deleting and taking back, searching, the sidebar."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.talking import ask_and_wait, expect_text
from tests.people import Person

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_title_comes_from_the_first_exchange_and_is_renamed(chat: Page) -> None:
    ask_and_wait(chat, "Release notes for 2.4")
    listed = chat.locator("[data-conversation]")
    expect(listed).to_have_text("Release notes for 2.4")
    expect(chat.get_by_role("heading", level=1)).to_have_text("Release notes for 2.4")
    chat.get_by_label("Conversation menu").click()
    chat.get_by_role("link", name="Rename").click()
    dialog = chat.get_by_role("dialog", name="Rename this chat")
    dialog.get_by_label("Title").fill("Notes")
    dialog.get_by_role("button", name="Rename").click()
    expect(chat.get_by_role("heading", level=1)).to_have_text("Notes")
    expect(listed).to_have_text("Notes")


def test_deleted_chat_is_taken_back(chat: Page) -> None:
    ask_and_wait(chat, "Hello")
    address = chat.url
    chat.get_by_label("Conversation menu").click()
    chat.get_by_role("button", name="Delete").click()
    toast = chat.locator(".toast-note")
    expect(toast).to_contain_text("Chat deleted.")
    expect(chat.locator("[data-conversation]")).to_have_count(0)
    toast.hover()
    toast.get_by_role("button", name="Undo").click()
    expect(chat).to_have_url(address)
    expect(chat.locator("[data-conversation]")).to_have_text("Hello")


def test_search_by_keyboard(chat: Page) -> None:
    ask_and_wait(chat, "Why is the database locked?")
    chat.goto("/chat")
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    chat.keyboard.press("Control+k")
    field = chat.get_by_role("searchbox")
    expect(field).to_be_focused()
    chat.keyboard.type("locked")
    chat.keyboard.press("Enter")
    expect(chat.get_by_role("status").first).to_have_text("1 chat")
    expect(chat.locator("mark").first).to_have_text("locked")
    field.blur()
    chat.keyboard.press("Control+k")
    expect(field).to_be_focused()
    chat.get_by_role("main").get_by_role("link", name="Why is the database locked?").click()
    expect_text(chat.locator("article"), "Why is the database locked?")


def test_sidebar_is_put_away_and_remembered(chat: Page) -> None:
    sidebar = chat.get_by_role("navigation", name="Conversations")
    chat.get_by_role("button", name="Hide sidebar").click()
    expect(sidebar).to_be_hidden()
    chat.reload()
    expect(sidebar).to_be_hidden()
    chat.get_by_role("button", name="Show sidebar").click()
    expect(sidebar).to_be_visible()


def test_drawer_of_a_phone_traps_focus_and_closes(open_browser: Callable[..., Page], person: Person) -> None:
    page = sign_in(open_browser(**PHONE), person)
    sidebar = page.get_by_role("navigation", name="Conversations")
    expect(sidebar).to_be_hidden()
    opener = page.get_by_label("Open menu")
    opener.tap()
    expect(sidebar).to_be_visible()
    for _step in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('dialog, body').tagName") in {"DIALOG", "BODY"}
        assert not page.evaluate("document.activeElement.matches('main *')")
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
    expect(opener).to_be_focused()
    opener.tap()
    page.get_by_role("link", name="Search").tap()
    expect(page.get_by_role("searchbox")).to_be_visible()
    expect(sidebar).to_be_hidden()


def test_menu_is_walked_by_keyboard(chat: Page) -> None:
    account = chat.locator(".side-foot summary")
    account.focus()
    account.press("Enter")
    expect(chat.get_by_role("link", name="Your account")).to_be_visible()
    chat.keyboard.press("ArrowDown")
    expect(chat.get_by_role("link", name="Your account")).to_be_focused()
    chat.keyboard.press("ArrowUp")
    expect(chat.get_by_role("button", name="Sign out")).to_be_focused()
    chat.keyboard.press("Escape")
    expect(account).to_be_focused()
    expect(chat.get_by_role("button", name="Sign out")).to_be_hidden()
