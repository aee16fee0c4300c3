"""Without JavaScript: registering, asking, and an answer that appears by itself."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(open_browser: Callable[..., Page]) -> Page:
    """A browser that runs no script."""
    return open_browser(java_script_enabled=False)


@pytest.fixture
def reader(plain: Page, person: Person) -> Page:
    """The same, signed in."""
    return sign_in(plain, person)


def send(page: Page, text: str, model: str) -> None:
    page.get_by_label("Model", exact=True).select_option(model)
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def test_register_and_sign_out(plain: Page) -> None:
    plain.goto("/register")
    plain.get_by_label("E-mail").fill("plain@example.com")
    plain.get_by_role("button", name="Send code").click()
    expect(plain.get_by_role("button", name="Show password")).to_be_hidden()
    mail = plain.context.new_page()
    mail.goto("/dev/mail/")
    code = mail.get_by_role("listitem").filter(has_text="plain@example.com").locator("code").inner_text()
    plain.get_by_label("Code").fill(code)
    plain.get_by_label("User name").fill("plain.reader")
    plain.get_by_label("Password", exact=True).fill(PASSWORD)
    plain.get_by_role("button", name="Create account").click()
    expect(plain.get_by_label("Message")).to_be_visible()
    plain.locator(".side-foot summary").click()
    plain.get_by_role("button", name="Sign out").click()
    expect(plain.get_by_role("heading", name="Sign in")).to_be_visible()


def test_answer_appears_by_the_page_refreshing_itself(reader: Page) -> None:
    send(reader, "What can an answer hold?", "scripted-markdown")
    expect(reader).to_have_url(re.compile("/chat/.+"))
    expect(reader.locator("article")).to_have_attribute("data-state", "complete")
    expect(reader.locator("article strong").first).to_have_text("bold")
    expect(reader.locator("meta[http-equiv=refresh]")).to_have_count(0)


def test_answer_is_stopped_and_continued(reader: Page) -> None:
    send(reader, "Go on", "scripted-slow")
    expect(reader.locator("article")).to_contain_text("word5 ")
    reader.get_by_role("button", name="Stop answering").click()
    expect(reader.get_by_role("heading", name="You stopped this answer")).to_be_visible()
    reader.get_by_role("button", name="Continue").click()
    expect(reader.locator("article")).to_have_attribute("data-state", "streaming")
    expect(reader.get_by_role("button", name="Stop answering")).to_be_visible()
    reader.get_by_role("button", name="Stop answering").click()
    expect(reader.locator("article")).to_have_attribute("data-state", "stopped")


def test_rename_delete_and_undo(reader: Page) -> None:
    send(reader, "Hello", "scripted-echo")
    reader.get_by_label("Conversation menu").click()
    reader.get_by_role("link", name="Rename").click()
    reader.get_by_label("Title").fill("Greeting")
    reader.get_by_role("button", name="Rename").click()
    expect(reader.get_by_role("heading", level=1)).to_have_text("Greeting")
    reader.get_by_label("Conversation menu").click()
    reader.get_by_role("button", name="Delete").click()
    reader.get_by_role("button", name="Undo").click()
    expect(reader.get_by_role("heading", level=1)).to_have_text("Greeting")


def test_search_language_and_theme(reader: Page) -> None:
    send(reader, "A needle", "scripted-echo")
    reader.get_by_role("link", name="Search").click()
    reader.get_by_role("searchbox").fill("needle")
    reader.get_by_role("button", name="Search").click()
    expect(reader.locator("mark").first).to_have_text("needle")
    reader.locator(".side-foot summary").click()
    reader.get_by_role("button", name="Dark").click()
    expect(reader.locator("html")).to_have_attribute("data-bs-theme", "dark")
    reader.locator(".side-foot summary").click()
    reader.get_by_role("button", name="中文").click()
    expect(reader.locator("html")).to_have_attribute("lang", "zh-CN")


def test_the_menu_of_a_phone_is_a_link(open_browser: Callable[..., Page], person: Person) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}
    page = sign_in(open_browser(**phone), person)
    sidebar = page.get_by_role("navigation", name="Conversations")
    expect(sidebar).to_be_hidden()
    page.get_by_label("Open menu").click()
    expect(sidebar).to_be_visible()
    page.get_by_label("Close menu").click()
    expect(sidebar).to_be_hidden()
