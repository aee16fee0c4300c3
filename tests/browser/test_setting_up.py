"""A site is set up in the browser: the one-time link, the wizard, two-step sign-in, and the overview in both themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults, Site, serve
from tests.people import PASSWORD, Person, add_admin, add_user
from webapp import app as application
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, template_database: Path) -> Iterator[Site]:
    """A server of this module's own, on which there is no administrator yet."""
    yield from serve(tmp_path_factory.mktemp("bare"), template_database)


def sign_in(page: Page, person: Person) -> None:
    page.goto("/admin/login")
    page.get_by_label("User name or e-mail").fill(person.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_first_administrator_sets_the_site_up(
    open_browser: Callable[..., Page], site: Site, faults: Faults
) -> None:
    faults.expected.append("404")
    token = application.setup_token(site.app)
    page = open_browser()
    page.goto(f"/admin/setup/{token}")
    page.get_by_label("User name").fill("mei.chen")
    page.get_by_label("E-mail").fill("mei@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make administrator").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("The site")
    page.get_by_label("Name of the site").fill("Acme Answers")
    page.get_by_role("button", name="Save and go on").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Mail")
    page.get_by_role("button", name="Save and send a test mail").click()
    expect(page.locator(".note.ok")).to_be_visible()
    page.get_by_role("link", name="Skip this step").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Models")
    page.get_by_role("link", name="Skip this step").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page).to_have_title("Overview · Acme Answers")

    late = open_browser()
    late.goto(f"/admin/setup/{token}")
    expect(late.get_by_text("This set-up link does not work")).to_be_visible()


def test_two_step_sign_in(open_browser: Callable[..., Page], site: Site) -> None:
    person = add_admin(site.app, "li.si")
    page = open_browser()
    sign_in(page, person)
    page.goto("/admin/account/second-factor/")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name="QR code for an authenticator app")).to_be_visible()
    with site.app.app_context():
        secret = identity.offered_totp(Realm.ADMIN, person.id)
    assert secret
    totp, now = pyotp.TOTP(secret), clock.utc_now()
    page.get_by_label("Code", exact=True).fill(totp.generate_otp(totp.timecode(now) - 1))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    recovery = page.locator(".recovery-codes code").first.inner_text()

    again = open_browser()
    sign_in(again, person)
    again.get_by_label("Code", exact=True).fill(totp.at(clock.utc_now()))
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("heading", level=1)).to_have_text("Overview")

    lost = open_browser()
    sign_in(lost, person)
    lost.get_by_role("link", name="Use a recovery code").click()
    lost.get_by_label("Code", exact=True).fill(recovery)
    lost.get_by_role("button", name="Sign in").click()
    expect(lost.get_by_role("heading", level=1)).to_have_text("Overview")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_overview_in_both_themes(
    open_browser: Callable[..., Page], site: Site, scheme: str, width: int
) -> None:
    site.people += 1
    add_user(site.app, f"somebody{site.people}", "Somebody")
    person = add_admin(site.app, f"looker{site.people}")
    page = open_browser(viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(page, person)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    for name in ("7 days", "30 days", "24 hours"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("img")).to_have_count(5)
    page.get_by_text("Show as table").first.click()
    expect(page.get_by_role("columnheader", name="median, s")).to_be_visible()
    page.get_by_role("link", name="Run again").click()
    expect(page.get_by_role("heading", name="System check")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
