"""The audit log in the browser: an administrator signs in, searches, opens an entry, verifies, takes the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.people import PASSWORD, Person, add_admin
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.audit.service import Party

pytestmark = pytest.mark.browser


@pytest.fixture
def auditor(site: Site) -> Person:
    """An administrator nobody else in the tests is, and two entries that only this test looks for."""
    site.people += 1
    person = add_admin(site.app, f"auditor{site.people}")
    with site.app.app_context():
        for name in ("Adaeze", "Jana <b>"):
            audit.record_alone(
                Event.USER_SUSPENDED,
                actor=Party("admin", f"by-{site.people}", person.username),
                target=Party("user", f"{name}-{site.people}", name),
                after={"reason": f"left in week {site.people}"},
            )
    return person


@pytest.mark.parametrize("width", [1280, 390])
def test_search(
    open_browser: Callable[..., Page], site: Site, auditor: Person, width: int, tmp_path: Path
) -> None:
    page = open_browser(viewport={"width": width, "height": 800}, accept_downloads=True)
    page.goto("/admin/audit/")
    page.get_by_label("User name or e-mail").fill(auditor.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")

    page.get_by_label("Words").fill(f"left in week {site.people}")
    page.get_by_label("What", exact=True).select_option("user:suspended")
    page.get_by_role("button", name="Filter", exact=True).click()
    rows = page.locator("table.data tbody tr")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("event=user%3Asuspended"))
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "audit.csv")
    assert (tmp_path / "audit.csv").read_text().count("user:suspended") == 2

    rows.filter(has_text="Jana").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("User suspended")
    expect(page.locator("table.data")).to_contain_text(f"left in week {site.people}")
    expect(page.locator("dl.facts")).to_contain_text("Jana <b>")
    page.locator(".crumbs").get_by_role("link", name="Audit log").click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The log is as it was written")
