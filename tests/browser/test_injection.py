"""Nothing that people or models write runs in the page: messages, answers, names, titles, file names (L1, L2, L3)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults, Site, sign_in
from tests.browser.talking import ask_and_wait
from tests.people import Person

pytestmark = pytest.mark.browser

# Each would call `ran` if the page took it for markup, and the remote picture would be a request elsewhere.
PAYLOADS = [
    '<img src=x onerror="window.ran=1">',
    "<script>window.ran=1</script>",
    '<svg onload="window.ran=1"></svg>',
    "[click](javascript:window.ran=1)",
    "![spy](https://spy.example/pixel.png)",
    '"><iframe srcdoc="<script>top.ran=1</script>"></iframe>',
    "<style>@import url(https://spy.example/a.css);</style>",
    "`<img src=x onerror=window.ran=1>`",
    "```html\n<script>window.ran=1</script>\n```",
    '$$\\href{javascript:window.ran=1}{x}$$ $\\text{<img src=x onerror="window.ran=1">}$',
    "| <b onmouseover=window.ran=1>a</b> |\n|---|\n| <a href=data:text/html,x>b</a> |",
    "&lt;img src=x onerror=window.ran=1&gt; <a href='java&#10;script:window.ran=1'>c</a>",
]


def expect_harmless(page: Page) -> None:
    """Check that nothing ran and that no element of the answers could run or load anything."""
    assert page.evaluate("window.ran") is None
    dangerous = (
        "main :is(script, iframe, object, embed, style, img:not(.avatar), [onerror], [onload], [onmouseover])"
    )
    expect(page.locator(dangerous)).to_have_count(0)
    for address in page.locator("main a").evaluate_all("links => links.map(link => link.protocol)"):
        assert address in {"http:", "https:", "mailto:"}


def test_answers_and_questions_are_text(chat: Page) -> None:
    ask_and_wait(chat, "\n\n".join(PAYLOADS))
    expect_harmless(chat)
    for link in chat.locator("article a[href^=http]").all():
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    chat.reload()
    expect(chat.locator("article .foot")).to_be_visible()
    expect_harmless(chat)
    expect(chat.locator(".bubble")).to_contain_text('<img src=x onerror="window.ran=1">')


def test_names_and_titles_are_text(site: Site, page: Page) -> None:
    name = '<img src=x onerror="window.ran=1">'
    person: Person = site.add_person(name)
    sign_in(page, person)
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    ask_and_wait(page, f"{name} needle")
    expect(page.locator("[data-conversation]")).to_contain_text(name)
    page.get_by_label("Conversation menu").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Title").fill("</title><script>window.ran=1</script>")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("</title><script>window.ran=1</script>")
    assert page.title().startswith("</title><script>")
    expect_harmless(page)
    for path in (
        "/chat/search?q=<img+src=x+onerror=window.ran=1>",
        "/chat/search?q=needle",
        "/profile",
        "/chat",
    ):
        page.goto(path)
        expect_harmless(page)


def test_addresses_are_text(page: Page, faults: Faults) -> None:
    faults.expected += ["422"]
    page.goto("/login?next=javascript:window.ran=1")
    page.goto("/register")
    page.get_by_label("E-mail").fill('"<img/src=x/onerror=window.ran=1>"@example.com')
    page.get_by_role("button", name="Send code").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("window.ran") is None
    expect(page.locator("main img")).to_have_count(0)
