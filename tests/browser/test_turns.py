"""What can be done with questions and answers: copy, edit and resend, answer again, endings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.talking import ask, ask_and_wait, expect_ended, expect_text
from tests.people import Person
from webapp.llm.providers.scripted import SHOWCASE

pytestmark = pytest.mark.browser

ENDINGS = [
    ("scripted-length", "length", "This answer was cut off", "Continue"),
    ("scripted-filtered", "filtered", "This answer was filtered", "Answer again"),
    ("scripted-truncated", "interrupted", "This answer stopped early", "Continue"),
    ("scripted-fail-midway", "interrupted", "This answer stopped early", "Continue"),
    ("scripted-fail-auth", "failed", "scripted-fail-auth does not accept our key", "Try again"),
    ("scripted-rate-limited", "failed", "scripted-rate-limited is busy right now", "Try again"),
    ("scripted-empty", "failed", "scripted-empty sent an empty answer", "Try again"),
]


@pytest.fixture
def reader(open_browser: Callable[..., Page], person: Person) -> Page:
    """A browser that lets a page read and write the clipboard."""
    return sign_in(open_browser(permissions=["clipboard-read", "clipboard-write"]), person)


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_code_and_answer_are_copied(reader: Page) -> None:
    answer = ask_and_wait(reader, "What can an answer hold?", "scripted-markdown")
    code = answer.locator(".code")
    code.get_by_role("button", name="Copy").click()
    expect(code.get_by_role("button")).to_have_text("Copied")
    assert clipboard(reader) == SHOWCASE.split("```python\n")[1].split("\n```")[0]
    expect(code.get_by_role("button")).to_have_text("Copy")
    answer.locator(".foot").get_by_role("button", name="Copy").click()
    expect(reader.locator("[data-status]")).to_have_text("Copied")
    assert clipboard(reader) == SHOWCASE


def test_an_answer_is_well_set(reader: Page) -> None:
    answer = ask_and_wait(reader, "What can an answer hold?", "scripted-markdown")
    prose = answer.locator("[data-prose]")
    expect(prose.locator("h2")).to_have_text("What an answer can hold")
    expect(prose.locator(".code header")).to_contain_text("Python")
    expect(prose.locator(".code .k").first).to_have_text("def")
    expect(prose.locator("td.ta-r")).to_have_text(["1", "2"])
    expect(prose.locator("math")).to_have_count(3)
    expect(prose.locator("strong").last).to_have_text("注意：")
    expect(prose.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer nofollow")
    for box in (prose.locator("pre"), prose.locator(".table-wrap"), prose.locator(".mathbox")):
        expect(box.first).to_have_attribute("tabindex", "0")


def test_live_and_stored_answers_look_the_same(reader: Page) -> None:
    answer = ask_and_wait(reader, "What can an answer hold?", "scripted-markdown")
    lively = answer.locator("[data-prose]").inner_html()
    reader.reload()
    expect_ended(answer)
    expect(answer.locator(".code").get_by_role("button")).to_have_text("Copy")
    assert answer.locator("[data-prose]").inner_html() == lively


def test_question_is_edited_and_sent_again(reader: Page) -> None:
    ask_and_wait(reader, "first")
    ask_and_wait(reader, "secnd")
    reader.locator(".turn").last.hover()
    edit = reader.get_by_role("link", name="Edit this question")
    expect(edit).to_have_count(1)
    edit.click()
    expect(reader.get_by_label("Question")).to_have_value("secnd")
    reader.get_by_label("Question").fill("second")
    reader.get_by_role("button", name="Send again").click()
    expect(reader.locator(".bubble")).to_have_text(["first", "second"])
    expect_ended(reader.locator("article").last)
    expect_text(reader.locator("article").last, "second")


def test_answered_again_and_by_another_model(reader: Page) -> None:
    answer = ask_and_wait(reader, "Hello")
    identity = answer.get_attribute("id")
    answer.get_by_role("button", name="Answer again", exact=True).click()
    expect(answer).not_to_have_id(str(identity))
    expect_ended(answer)
    answer.get_by_label("Answer again with another model").click()
    answer.get_by_role("button", name="Use scripted-thinking").click()
    expect_text(answer, "Yes, because reads dominate.")
    expect_ended(answer)
    expect(reader.locator(".bubble")).to_have_count(1)
    reader.reload()
    expect_text(answer, "Yes, because reads dominate.")


@pytest.mark.parametrize(("model", "state", "title", "action"), ENDINGS, ids=[row[0] for row in ENDINGS])
def test_every_ending_says_what_happened_and_offers_what_to_do(
    reader: Page, model: str, state: str, title: str, action: str
) -> None:
    answer = ask(reader, "Please", model)
    expect_ended(answer, state)
    expect(answer.get_by_role("heading", name=title)).to_be_visible()
    expect(answer.locator(".ending").get_by_role("button", name=action)).to_be_visible()
    expect(answer.get_by_role("alert")).to_have_count(1 if state == "failed" else 0)


def test_a_failed_answer_is_given_by_another_model(reader: Page) -> None:
    answer = ask(reader, "Say this back", "scripted-fail-auth")
    expect_ended(answer, "failed")
    answer.get_by_role("button", name="Use scripted-echo").click()
    expect_text(answer, "Say this back")
    expect_ended(answer)
    expect(answer.get_by_role("alert")).to_have_count(0)
