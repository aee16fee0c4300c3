"""The page of the API under the strict policy, and the JavaScript example of docs/api.md."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.api.calling import api_token
from tests.api.test_examples import examples
from tests.browser.conftest import Site
from tests.people import Person
from webapp.identity.rules import Scope

pytestmark = pytest.mark.browser


def test_a_call_is_tried_with_a_token_of_one_s_own(chat: Page, site: Site, person: Person) -> None:
    token = api_token(site.app, person)["Authorization"].split()[1]
    chat.goto("/profile/tokens")
    chat.get_by_role("link", name="What programs can do").click()
    chat.get_by_role("button", name="Authorize").click()
    chat.locator(".modal-ux input").fill(token)
    chat.locator(".modal-ux .authorize").click()
    chat.locator(".modal-ux .btn-done").click()
    block = chat.locator(".opblock", has_text="/api/user/profile/me").filter(has_text="Read the profile")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table")).to_contain_text(person.username)


def test_the_page_fits_a_phone(open_browser, site: Site) -> None:
    page = open_browser(viewport={"width": 390, "height": 844})
    page.goto("/api/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_example_in_javascript(page: Page, site: Site, person: Person) -> None:
    token = api_token(site.app, person, Scope.PROFILE_READ, Scope.MODELS)["Authorization"].split()[1]
    (script,) = examples("js")
    environment = json.dumps({"AGENT_TOOLS_URL": site.url, "AGENT_TOOLS_TOKEN": token})
    page.goto("/api/docs")
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.evaluate(f"async () => {{ const process = {{ env: {environment} }};\n{script}\n}}")
    assert told[0] == person.username
    assert "scripted-echo" in told[1]
