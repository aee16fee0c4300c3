"""Two-step sign-in in the browser: turned on with the square's key, used, and left with a recovery code."""

from __future__ import annotations

import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.browser


def next_code(totp: pyotp.TOTP, used: str) -> str:
    """Return a code that was not used: the server takes the next one too."""
    code = totp.now()
    return code if code != used else totp.at(int(time.time()) + 30)


def first_step(page: Page, person: Person) -> None:
    page.goto("/login")
    page.get_by_label("E-mail or user name").fill(person.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Two-step sign-in")


def test_two_step_sign_in(chat: Page, person: Person, faults: Faults) -> None:
    faults.expected += ["422"]
    chat.goto("/profile/security")
    chat.get_by_role("button", name="Set up").click()
    square = chat.get_by_role("img", name="QR code for an authenticator app")
    expect(square).to_be_visible()
    assert square.evaluate("each => each.querySelector('svg').getBoundingClientRect().width") > 100
    totp = pyotp.TOTP(chat.locator(".key").inner_text().replace(" ", ""))
    code = chat.get_by_label("Enter the six digits it shows.")
    code.fill("12 34-56 78")
    expect(code).to_have_value("123456")
    chat.get_by_role("button", name="Turn on").click()
    expect(chat.locator("#code-error")).to_contain_text("not right")
    used = totp.now()
    code.fill(used)
    chat.get_by_role("button", name="Turn on").click()
    codes = chat.locator(".recovery-codes code")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    chat.get_by_role("link", name="I have kept them").click()
    expect(chat.get_by_text("10 recovery codes left")).to_be_visible()

    chat.locator(".side-foot summary").click()
    chat.get_by_role("button", name="Sign out").click()
    first_step(chat, person)
    chat.get_by_label("Code").fill(next_code(totp, used))
    chat.keyboard.press("Enter")
    chat.wait_for_url("**/chat")

    chat.locator(".side-foot summary").click()
    chat.get_by_role("button", name="Sign out").click()
    first_step(chat, person)
    chat.get_by_role("link", name="Use a recovery code").click()
    chat.get_by_label("Code").fill(recovery.upper().replace("-", " "))
    chat.get_by_role("button", name="Sign in").click()
    chat.wait_for_url("**/chat")
    chat.goto("/profile/security")
    expect(chat.get_by_text("9 recovery codes left")).to_be_visible()
