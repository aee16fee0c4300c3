"""What everybody needs of a page: names, order, focus that shows, room on small screens, quiet where asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults, sign_in
from tests.browser.talking import ask, ask_and_wait, expect_ended, expect_text
from tests.people import Person

pytestmark = pytest.mark.browser

CHECKS = Path(__file__).with_name("checks.js").read_text()
FOR_EVERYBODY = [
    "/",
    "/login",
    "/register",
    "/password/forgot",
    "/password/reset",
    "/privacy",
    "/dev/mail/",
    "/nowhere",
]
OF_AN_ACCOUNT = [
    "/chat",
    "/chat/search",
    "/chat/search?q=hold",
    "/chat/conversations",
    "/profile",
    "/profile/password",
    "/profile/security",
    "/profile/tokens",
    "/profile/preferences",
    "/profile/data",
    "/confirm",
]
# 320 px is also what is left of a 640 px window at 200 % zoom, and of 1280 px at 400 %.
NARROW = {"viewport": {"width": 320, "height": 640}}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
INNER_OVERFLOW = "element => element.scrollWidth - element.clientWidth"


def with_a_chat(page: Page, person: Person) -> list[str]:
    """Sign in, have an answer of every kind written, and return the pages there are."""
    sign_in(page, person)
    ask_and_wait(page, "What can an answer hold?", "scripted-markdown")
    ask_and_wait(page, "averylongwordwithoutanyspace" * 12, "scripted-thinking")
    expect_ended(ask(page, "Fail", "scripted-fail-auth"), "failed")
    return [page.url, *OF_AN_ACCOUNT]


def test_pages_for_everybody_pass_inspection(page: Page, faults: Faults) -> None:
    faults.expected += ["404"]
    for path in FOR_EVERYBODY:
        page.goto(path)
        assert page.evaluate(CHECKS) == [], path


def test_pages_of_an_account_pass_inspection(page: Page, person: Person) -> None:
    for path in with_a_chat(page, person):
        page.goto(path)
        assert page.evaluate(CHECKS) == [], path


def test_nothing_scrolls_sideways_on_320_pixels(
    open_browser: Callable[..., Page], person: Person, faults: Faults
) -> None:
    faults.expected += ["404"]
    page = open_browser(**NARROW)
    for path in FOR_EVERYBODY:
        page.goto(path)
        assert page.evaluate(OVERFLOW) == 0, path
    for path in with_a_chat(page, person):
        page.goto(path)
        assert page.evaluate(OVERFLOW) == 0, path
        assert (
            page.locator(".thread").first.evaluate(INNER_OVERFLOW) <= 0
            if page.locator(".thread").count()
            else True
        )


def test_targets_of_a_phone_are_large(open_browser: Callable[..., Page], person: Person) -> None:
    page = open_browser(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/login")
    for target in (page.get_by_role("button", name="Sign in"), page.get_by_label("Password", exact=True)):
        assert target.bounding_box()["height"] >= 44  # type: ignore[index]
    assert (
        page.get_by_label("Password", exact=True).evaluate("field => getComputedStyle(field).fontSize")
        == "16px"
    )
    sign_in(page, person)
    page.get_by_label("Open menu").tap()
    for target in page.get_by_role("dialog").get_by_role("link").filter(visible=True).all()[1:]:
        assert target.bounding_box()["height"] >= 44  # type: ignore[index]


def test_everything_is_reached_by_tab_and_shows_where_one_is(page: Page) -> None:
    page.goto("/privacy")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.goto("/login")
    skip.focus()
    skip.press("Enter")
    reached = []
    for _step in range(8):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
        )
        style = page.evaluate(
            "(({ outlineStyle, outlineWidth, boxShadow }) => ({ outlineStyle, outlineWidth, boxShadow }))"
            "(getComputedStyle(document.activeElement))"
        )
        ring = style["outlineStyle"] != "none" and style["outlineWidth"] == "2px"
        assert ring or style["boxShadow"] != "none", (reached[-1], style)
    assert reached[:2] == ["login", "Forgot password?"]
    assert "Create an account" in reached


def test_nothing_moves_where_that_is_asked(open_browser: Callable[..., Page], person: Person) -> None:
    page = sign_in(open_browser(reduced_motion="reduce"), person)
    answer = ask(page, "Go on", "scripted-slow")
    expect_text(answer, "word3 ")
    assert page.evaluate("document.getAnimations().length") == 0
    expect(answer.locator(".caret")).to_be_visible()
    page.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")
    expect(answer.locator(".caret")).to_have_count(0)


def test_state_shows_in_forced_colours(open_browser: Callable[..., Page], person: Person) -> None:
    page = sign_in(open_browser(forced_colors="active"), person)
    ask_and_wait(page, "Hello")
    expect(page.locator(".side-item[aria-current]")).to_have_css("outline-style", "solid")


def test_dialog_keeps_the_focus_and_gives_it_back(chat: Page) -> None:
    ask_and_wait(chat, "Hello")
    chat.get_by_label("Conversation menu").click()
    chat.get_by_role("link", name="Rename").click()
    expect(chat.get_by_label("Title")).to_be_focused()
    chat.keyboard.press("Escape")
    expect(chat.get_by_role("dialog")).to_be_hidden()
    expect(chat.get_by_label("Conversation menu")).to_be_focused()
