"""Chromium on a running server: people in it, and browsers that report every fault of a page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.conftest import make_settings
from tests.people import PASSWORD, Person, add_user
from tests.servers import Server, serving
from webapp.app import create_app
from webapp.extensions import db

PATIENCE_MS = 40_000
# Says aloud what the policy refused; Chromium's own message is caught as well.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy refused ${event.violatedDirective}: ${event.blockedURI}`));
"""


@dataclass
class Faults:
    """What went wrong in the browsers of a test; at its end there must be nothing but what it expected."""

    host: str
    seen: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note errors of scripts and console, refusals by the policy, and requests to any other host."""
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.seen.append(f"error: {error.error}"))
        context.on("request", self._on_request)

    def unexpected(self) -> list[str]:
        """Return the faults that no test said it would provoke."""
        return [fault for fault in self.seen if not any(words in fault for words in self.expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.seen.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self.host:
            self.seen.append(f"request to another host: {request.url}")


@dataclass
class Site:
    """A running server and its data."""

    server: Server
    app: Flask
    people: int = 0

    @property
    def url(self) -> str:
        return self.server.url

    def add_person(self, name: str = "Lin Yue") -> Person:
        """Add somebody nobody else in the tests is."""
        self.people += 1
        return add_user(self.app, f"reader{self.people}", name)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[Site]:
    """A server with scripted models, shared by the tests of pages."""
    yield from serve(tmp_path_factory.mktemp("site"), template_database)


def serve(instance: Path, template_database: Path, **environment: str) -> Iterator[Site]:
    """Run a server on a folder of its own, in the local profile: its mail is shown on a page."""
    shutil.copy(template_database, instance / "agent-tools.db")
    app = create_app(make_settings(instance))
    with serving(instance, APP_PROFILE="local", **environment) as server:
        yield Site(server, app)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def faults(site: Site) -> Iterator[Faults]:
    """Faults of the browsers of this test; the test fails at its end if there are any it did not expect."""
    noted = Faults(urlsplit(site.url).netloc)
    yield noted
    assert noted.unexpected() == []


@pytest.fixture
def open_browser(browser: Browser, site: Site, faults: Faults) -> Iterator[Callable[..., Page]]:
    """Open browsers that share nothing, by default a desktop in English; closed when the test ends."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> Page:
        defaults = {"base_url": site.url, "locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
        context = browser.new_context(**(defaults | options))
        context.set_default_timeout(PATIENCE_MS)
        faults.watch(context)
        contexts.append(context)
        return context.new_page()

    expect.set_options(timeout=PATIENCE_MS)
    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_browser: Callable[..., Page]) -> Page:
    """A browser in which nobody is signed in."""
    return open_browser()


@pytest.fixture
def person(site: Site) -> Person:
    """Somebody with an account and no chats."""
    return site.add_person()


@pytest.fixture
def chat(page: Page, person: Person) -> Page:
    """A browser on the empty chat page, signed in as that person."""
    return sign_in(page, person)


def sign_in(page: Page, person: Person) -> Page:
    """Sign in as the page's form does, and open the chat page."""
    requests = page.context.request
    token = re.search(r'name="csrf_token" value="([^"]+)"', requests.get("/login").text())
    assert token
    fields = {"csrf_token": token[1], "login": person.username, "password": PASSWORD, "keep": "y"}
    requests.post("/login", form=fields, max_redirects=0)
    page.goto("/chat")
    expect(page.get_by_label("Message")).to_be_visible()
    return page
