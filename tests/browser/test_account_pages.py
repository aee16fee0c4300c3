"""Pages of the account in the browser: language, theme, passwords that can be seen, codes, the picture."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.accounts import pictures
from tests.browser.conftest import Faults
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.browser

SMALL_PAGE = "<!doctype html><title>x</title>"


def test_theme_changes_at_once_and_stays(chat: Page) -> None:
    root = chat.locator("html")
    ground = "getComputedStyle(document.querySelector('.main')).backgroundColor"
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    light = chat.evaluate(ground)
    chat.locator(".side-foot summary").click()
    with chat.expect_response("**/preferences/theme"):
        chat.get_by_role("button", name="Dark").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(chat.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert chat.evaluate(ground) != light
    chat.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    assert chat.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_theme_follows_the_device_until_one_is_chosen(page: Page) -> None:
    page.goto("/login")
    ground = "getComputedStyle(document.querySelector('.auth')).backgroundColor"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == "rgb(19, 25, 26)"


def test_language_is_switched_and_kept_with_the_account(chat: Page) -> None:
    chat.locator(".side-foot summary").click()
    chat.get_by_role("button", name="中文").click()
    expect(chat.locator("html")).to_have_attribute("lang", "zh-CN")
    chat.context.clear_cookies(name="language")
    chat.goto("/profile")
    expect(chat.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(chat.get_by_role("button", name="中文", include_hidden=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_password_can_be_looked_at(page: Page) -> None:
    page.goto("/login")
    field = page.get_by_label("Password", exact=True)
    field.fill("correct horse")
    eye = page.get_by_role("button", name="Show password")
    eye.click()
    expect(field).to_have_attribute("type", "text")
    expect(eye).to_have_attribute("aria-pressed", "true")
    eye.click()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value("correct horse")


def test_refused_sign_in_keeps_the_name_and_says_so_beside_the_form(
    page: Page, person: Person, faults: Faults
) -> None:
    faults.expected += ["422"]
    page.goto("/login")
    page.get_by_label("E-mail or user name").fill(person.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD + "!")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#password-error")).to_have_text("That name and password do not match.")
    expect(page.get_by_label("E-mail or user name")).to_have_value(person.username)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_code_is_asked_again_after_a_countdown_and_taken_with_spaces(page: Page) -> None:
    page.clock.install()
    page.goto("/register")
    page.get_by_label("E-mail").fill("countdown@example.com")
    page.get_by_role("button", name="Send code").click()
    again = page.locator("[data-resend]")
    expect(again).to_have_text(re.compile(r"Resend in [01]:\d\d"))
    expect(again).to_be_disabled()
    page.clock.fast_forward("01:05")
    expect(again).to_have_text("Resend the code")
    expect(again).to_be_enabled()
    code = page.get_by_label("Code")
    code.focus()
    page.keyboard.insert_text("０73 9-14")
    expect(code).to_have_value("073914")


def test_enter_in_the_code_form_creates_and_does_not_resend(page: Page, faults: Faults) -> None:
    faults.expected += ["422"]
    page.goto("/register")
    page.get_by_label("E-mail").fill("enter@example.com")
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill("000000")
    page.get_by_label("User name").fill("enter.key")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#code-error")).to_contain_text("not right")
    expect(page.get_by_label("User name")).to_have_value("enter.key")


def test_picture_is_uploaded_shown_and_removed(chat: Page) -> None:
    chat.goto("/profile")
    chat.get_by_label("Picture", exact=True).set_input_files(
        {
            "name": "<img src=x onerror=alert(1)>.png",
            "mimeType": "image/png",
            "buffer": pictures.picture("PNG"),
        }
    )
    chat.get_by_role("button", name="Upload picture").click()
    shown = chat.locator("img.avatar.lg")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.complete && image.naturalWidth > 0")
    expect(chat.locator(".side-foot img.avatar")).to_be_visible()
    chat.get_by_role("button", name="Remove picture").click()
    expect(shown).to_have_count(0)
    expect(chat.locator("b.avatar.lg")).to_have_text("LY")


def test_what_is_no_picture_is_refused_beside_the_field(chat: Page, faults: Faults) -> None:
    faults.expected += ["422", "415"]
    chat.goto("/profile")
    chat.get_by_label("Picture", exact=True).set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": SMALL_PAGE.encode()}
    )
    chat.get_by_role("button", name="Upload picture").click()
    expect(chat.locator("#avatar-error")).to_be_visible()
    expect(chat.locator("img.avatar")).to_have_count(0)


def test_name_and_password_are_changed(chat: Page) -> None:
    chat.goto("/profile")
    chat.get_by_label("Name", exact=True).fill("林悦")
    chat.get_by_role("button", name="Save").click()
    expect(chat.get_by_role("heading", level=1)).to_have_text("林悦")
    expect(chat.locator(".side-foot b.avatar")).to_have_text("林")
    chat.get_by_role("link", name="Security").click()
    chat.get_by_role("link", name="Change password").click()
    chat.get_by_label("Current password").fill(PASSWORD)
    chat.get_by_label("New password").fill("a quite different sentence")
    chat.get_by_role("button", name="Change password").click()
    expect(chat.locator(".toast-note, .note")).to_contain_text("password")
    expect(chat.get_by_role("heading", level=1)).to_have_text("林悦")
