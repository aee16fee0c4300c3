"""The composer: keys, drafts, limits, ideas."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults
from tests.browser.talking import ask, ask_and_wait, expect_ended, expect_text
from webapp.chat import rules

pytestmark = pytest.mark.browser


def test_enter_sends_and_shift_enter_breaks_the_line(chat: Page) -> None:
    field = chat.get_by_label("Message")
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    field.fill("first")
    low = field.evaluate("element => element.clientHeight")
    field.press("Shift+Enter")
    chat.keyboard.type("second")
    expect(field).to_have_value("first\nsecond")
    assert field.evaluate("element => element.clientHeight") > low
    field.press("Enter")
    expect(chat.locator(".bubble")).to_have_text("first second")
    assert chat.locator(".bubble").inner_text() == "first\nsecond"
    expect(chat.get_by_label("Message")).to_have_value("")


def test_enter_while_an_input_method_composes_does_not_send(chat: Page) -> None:
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    chat.get_by_label("Message").focus()
    session = chat.context.new_cdp_session(chat)
    session.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    expect(chat.get_by_label("Message")).to_have_value("nihao")
    session.send(
        "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229}
    )
    chat.get_by_label("Message").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    session.send("Input.insertText", {"text": "你好"})
    expect(chat.get_by_label("Message")).to_have_value("你好")
    expect(chat.locator(".bubble")).to_have_count(0)
    chat.get_by_label("Message").press("Enter")
    expect(chat.locator(".bubble")).to_have_text("你好")


def test_draft_is_kept_over_a_reload_and_forgotten_when_sent(chat: Page) -> None:
    chat.get_by_label("Message").press_sequentially("half a thought")
    chat.reload()
    expect(chat.get_by_label("Message")).to_have_value("half a thought")
    chat.get_by_label("Message").press("End")
    answer = ask_and_wait_for_draft(chat)
    expect_ended(answer)
    chat.get_by_label("Message").press_sequentially("another")
    chat.goto("/chat")
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    expect(chat.get_by_label("Message")).to_have_value("")
    chat.go_back()
    expect(chat.get_by_label("Message")).to_have_value("another")


def ask_and_wait_for_draft(page: Page):  # type: ignore[no-untyped-def]
    """Send what stands in the field."""
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.get_by_role("button", name="Send").click()
    return page.locator("article.answer").last


def test_message_that_is_too_long_is_refused_and_kept(chat: Page) -> None:
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    chat.get_by_label("Message").fill("x" * (rules.MESSAGE_MAX_LENGTH + 1))
    chat.get_by_label("Message").press("Enter")
    expect(chat.get_by_role("alert")).to_contain_text("too long")
    assert len(chat.get_by_label("Message").input_value()) == rules.MESSAGE_MAX_LENGTH + 1
    chat.get_by_label("Message").fill("short")
    chat.get_by_label("Message").press("Enter")
    expect(chat.locator(".bubble")).to_have_text("short")


def test_what_could_not_be_sent_stays_and_is_sent_once(chat: Page, faults: Faults) -> None:
    faults.expected += ["ERR_INTERNET_DISCONNECTED"]
    ask_and_wait(chat, "first")
    chat.context.set_offline(True)
    chat.get_by_label("Message").fill("second")
    chat.get_by_label("Message").press("Enter")
    expect(chat.get_by_role("alert")).to_contain_text("could not be sent")
    expect(chat.locator("[data-net]")).to_contain_text("What you write stays here")
    expect(chat.get_by_label("Message")).to_have_value("second")
    chat.context.set_offline(False)
    chat.get_by_label("Message").press("Enter")
    expect(chat.locator(".bubble")).to_have_text(["first", "second"])
    expect(chat.get_by_role("alert")).to_be_hidden()


def test_while_an_answer_runs_enter_does_nothing_and_keeps_the_text(chat: Page) -> None:
    answer = ask(chat, "Go on", "scripted-slow")
    expect_text(answer, "word1 ")
    chat.get_by_label("Message").fill("next")
    chat.get_by_label("Message").press("Enter")
    expect(chat.get_by_label("Message")).to_have_value("next")
    chat.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")
    chat.get_by_label("Message").press("Enter")
    expect(chat.locator(".bubble")).to_have_text(["Go on", "next"])


def test_an_idea_is_put_into_the_field(chat: Page) -> None:
    expect(chat.get_by_role("button", name="Send")).to_be_disabled()
    chat.get_by_role("button", name="Explain an error message").click()
    expect(chat.get_by_label("Message")).to_be_focused()
    expect(chat.get_by_label("Message")).to_have_value(
        "Explain this error message and name the most likely cause:\n\n"
    )
    expect(chat.get_by_role("button", name="Send")).to_be_enabled()


def test_the_hint_of_the_chosen_model_is_shown(chat: Page) -> None:
    options = chat.get_by_label("Model", exact=True).locator("option")
    hints = {
        option.get_attribute("value"): option.get_attribute("data-hint") or "" for option in options.all()
    }
    assert len(hints) > 5
    for name in ("scripted-slow", "scripted-thinking"):
        chat.get_by_label("Model", exact=True).select_option(name)
        expect(chat.locator("[data-hint]").last).to_have_text(hints[name])
