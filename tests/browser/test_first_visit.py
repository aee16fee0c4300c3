"""A newcomer's way through the program with the embedded model, from registering to signing out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, serve
from tests.browser.talking import expect_ended

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.xdist_group("browser")]

LONG_QUESTION = "Write a long story about a lighthouse keeper, in many chapters."


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, template_database: Path, model_file: Path
) -> Iterator[Site]:
    """A server as a newcomer gets it: no mail server, no scripted models, the embedded model alone."""
    instance = tmp_path_factory.mktemp("newcomer")
    yield from serve(instance, template_database, LOCAL_MODEL=str(model_file), SCRIPTED_MODELS="false")


def test_register_chat_reload_stop_and_sign_out(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    register(page)
    answer = ask(page)
    reload_in_mid_answer(page)
    page.get_by_role("button", name="Stop answering").click()
    expect_ended(answer, "stopped")
    expect(page.get_by_role("heading", name="You stopped this answer")).to_be_visible()
    expect(answer.locator(".usage")).to_contain_text("tokens")
    sign_out(page)


def register(page: Page) -> None:
    """Ask for a code, read it on the page that the form names, and create the account."""
    page.get_by_label("E-mail").fill("newcomer@example.com")
    page.get_by_role("button", name="Send code").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Read it here").click()
    mail = opened.value
    code = mail.get_by_role("listitem").filter(has_text="newcomer@example.com").locator("code").inner_text()
    mail.close()
    page.get_by_label("Code").fill(code)
    page.get_by_label("User name").fill("newcomer")
    page.get_by_label("Password", exact=True).fill("lighthouse keepers sleep late")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="What are you working on?")).to_be_visible()


def ask(page: Page):  # type: ignore[no-untyped-def]
    """Ask the only model there is; the page says what it is worth."""
    expect(page.get_by_label("Model", exact=True).locator("option")).to_have_count(1)
    expect(page.locator(".fine [data-hint]")).not_to_be_empty()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.get_by_label("Message").fill(LONG_QUESTION)
    page.get_by_label("Message").press("Enter")
    answer = page.locator("article.answer")
    expect(answer).to_have_attribute("data-state", "streaming")
    expect(answer.locator("[data-prose]")).not_to_have_text("")
    return answer


def reload_in_mid_answer(page: Page) -> None:
    """Reload; what was shown is still there, and more comes."""
    prose = page.locator("article [data-prose]")
    seen = " ".join(prose.inner_text().split())
    page.reload()
    again = " ".join(prose.inner_text().split())
    assert again.startswith(seen[:40])
    assert len(again) >= len(seen)
    page.wait_for_function(
        "length => document.querySelector('article [data-prose]').innerText.length > length",
        arg=len(again) + 20,
    )
    expect(page.locator("article")).to_have_attribute("data-state", "streaming")


def sign_out(page: Page) -> None:
    """Sign out; the chat is then shown to nobody."""
    address = page.url
    page.locator(".side-foot summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(address)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
