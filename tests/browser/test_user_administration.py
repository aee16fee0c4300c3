"""An administrator's browser: rows are checked and suspended, and a file is tried before it is imported."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Faults, Site
from tests.people import PASSWORD, add_admin

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIST = "/admin/users/"


@pytest.fixture(scope="module")
def admin_name(site: Site) -> str:
    """The name of an administrator on the server."""
    return add_admin(site.app, "mei.chen").username


@pytest.fixture
def admin(page: Page, admin_name: str) -> Page:
    """The administrator's browser."""
    return sign_in_admin(page, admin_name)


def sign_in_admin(page: Page, name: str) -> Page:
    requests = page.context.request
    token = re.search(r'name="csrf_token" value="([^"]+)"', requests.get("/admin/login").text())
    assert token
    fields = {"csrf_token": token[1], "login": name, "password": PASSWORD}
    requests.post("/admin/login", form=fields, max_redirects=0)
    page.goto("/admin/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def add_people(site: Site, *names: str) -> None:
    for name in names:
        site.add_person(name)


def test_checked_rows_are_suspended_after_a_look_at_what_it_means(site: Site, admin: Page) -> None:
    add_people(site, "Bulk Anna", "Bulk Bo", "Bulk Cem")
    admin.goto(f"{LIST}?q=bulk")
    bar = admin.get_by_role("region", name="Selected users")
    expect(bar).to_be_hidden()
    admin.get_by_label("Select Bulk Anna").check()
    expect(bar.get_by_text("1 selected")).to_be_visible()
    admin.get_by_label("Select all on this page").check()
    expect(bar.get_by_text("3 selected")).to_be_visible()
    bar.get_by_role("button", name="Deselect").click()
    expect(bar).to_be_hidden()
    for name in ("Bulk Anna", "Bulk Cem"):
        admin.get_by_label(f"Select {name}").check()
    bar.get_by_role("button", name="Suspend").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Suspend these users?")
    expect(admin.get_by_text("2 users.")).to_be_visible()
    admin.get_by_label("Reason").fill("Left the school")
    admin.get_by_role("button", name="Suspend: 2 users").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Suspend: done for 2 of 2")
    admin.get_by_role("link", name="Back to the list").click()
    expect(admin).to_have_url(re.compile(r"q=bulk"))
    expect(admin.locator("td").get_by_text("Suspended")).to_have_count(2)


def test_all_that_match_the_filter_are_meant_when_that_is_said(site: Site, admin: Page) -> None:
    add_people(site, "Crowd Dora", "Crowd Emil")
    admin.goto(f"{LIST}?q=crowd")
    admin.get_by_label("Select Crowd Dora").check()
    admin.get_by_label("All that match this filter").check()
    admin.get_by_role("button", name="End sessions").click()
    expect(admin.get_by_text("2 users.")).to_be_visible()
    expect(admin.get_by_text("The filter is applied again")).to_be_visible()
    admin.get_by_role("button", name="End sessions: 2 users").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("End sessions: done for 2 of 2")


def test_bulk_works_without_script(site: Site, open_browser: Callable[..., Page], admin_name: str) -> None:
    add_people(site, "Plain Frida")
    admin = sign_in_admin(open_browser(java_script_enabled=False), admin_name)
    admin.goto(f"{LIST}?q=plain")
    expect(admin.get_by_text("With the checked users")).to_be_visible()
    admin.get_by_label("Select Plain Frida").check()
    admin.get_by_role("button", name="Suspend").click()
    admin.get_by_label("Reason").fill("No script here")
    admin.get_by_role("button", name="Suspend: 1 user").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Suspend: done for 1 of 1")


def test_file_is_tried_then_mended_then_imported(admin: Page, faults: Faults) -> None:
    faults.expected.append("422")
    admin.goto(LIST)
    admin.get_by_role("link", name="Import").click()
    hand_over(admin, "email,username\nimport.a@example.com,import.a\nnot an address,import.b\n")
    expect(admin.get_by_role("heading", level=1)).to_have_text("1 row cannot be imported")
    expect(admin.get_by_text("This is not an e-mail address")).to_be_visible()
    expect(admin.get_by_role("button", name=re.compile("Invite"))).to_have_count(0)
    admin.get_by_role("link", name="Another file").click()
    hand_over(
        admin, "email,username,name\nimport.a@example.com,import.a,林悦\nimport.b@example.com,import.b,Bo\n"
    )
    expect(admin.get_by_role("heading", level=1)).to_have_text("Invite 2 people?")
    admin.get_by_role("button", name="Invite 2 people").click()
    expect(admin.get_by_text("2 people are invited.")).to_be_visible()
    expect(admin.get_by_role("link", name="林悦", exact=True)).to_be_visible()
    expect(admin.locator("td").get_by_text("Invited")).to_have_count(2)


def hand_over(page: Page, content: str) -> None:
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.get_by_label("CSV file").set_input_files(files=[file])  # type: ignore[list-item]
    page.get_by_role("button", name="Look at the file").click()


@pytest.mark.parametrize("width", [320, 390])
def test_lists_do_not_run_off_a_phone(
    site: Site, open_browser: Callable[..., Page], admin_name: str, width: int
) -> None:
    site.add_person("Somebody with quite a long name that has to go somewhere")
    admin = sign_in_admin(open_browser(viewport={"width": width, "height": 800}), admin_name)
    for path in (
        LIST,
        f"{LIST}import",
        f"{LIST}new",
        "/admin/mail/",
        "/admin/codes/",
        "/admin/announcements/",
    ):
        admin.goto(path)
        expect(admin.get_by_role("heading", level=1)).to_be_visible()
        assert admin.evaluate("document.documentElement.scrollWidth") <= width, path
