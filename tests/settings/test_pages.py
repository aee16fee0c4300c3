"""The settings pages: what is shown, what is saved, what is refused, and that secrets never come back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import make_settings
from tests.pages import PageClient, read
from tests.people import add_admin, sign_in_admin
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.config import Settings, current_settings
from webapp.database import db
from webapp.settings import service
from webapp.settings.rules import CHANGEABLE, GROUPS
from webapp.settings.words import WORDS, best_unit

URL = "/admin/settings/"


@pytest.fixture
def settings(instance: Any) -> Settings:
    return make_settings(instance, session_absolute_minutes=90, mail_password="of-the-environment")


def form_fields(client: PageClient, url: str) -> dict[str, str]:
    """Return what a browser would send back from the form of settings."""
    page = read(client.get(url))
    form = next(each for each in page.forms if any(name.endswith("__version") for name in each["fields"]))
    sent = {name: value for name, value in form["fields"].items() if name}
    for each in page.fields:
        if each.get("type") == "checkbox" and "checked" not in each:
            sent.pop(each["name"], None)
        elif each["tag"] in {"select", "textarea"}:
            sent[each["name"]] = typed_value(client, url, each)
    return sent


def typed_value(client: PageClient, url: str, field: dict[str, str]) -> str:
    with client.application.app_context():
        name = field["name"]
        if name.endswith("__unit"):
            return str(best_unit(getattr(current_settings(), name.removesuffix("__unit"))))
        value = getattr(current_settings(), name)
        return "\n".join(value) if isinstance(value, tuple) else str(value)


def save(client: PageClient, url: str, **typed: str) -> Any:
    return client.post(url, data={**form_fields(client, url), **typed})


def in_force(app: Flask, name: str) -> Any:
    with app.app_context():
        service.current_overlay().forget()
        return getattr(current_settings(), name)


def as_role(app: Flask, role: str) -> PageClient:
    return sign_in_admin(app, add_admin(app, f"of.{role}", role))


@pytest.mark.parametrize("group", list(GROUPS))
def test_every_group_is_shown_and_saving_it_untouched_changes_nothing(
    app: Flask, admin_client: PageClient, group: str
) -> None:
    url = f"{URL}?group={group}"
    response = save(admin_client, url)
    assert response.status_code == 303, read(response)
    with app.app_context():
        assert service.latest_changes() == {}


def test_every_changeable_setting_has_words() -> None:
    assert set(WORDS) >= CHANGEABLE


def test_saving_is_in_force_and_told(app: Flask, admin_client: PageClient) -> None:
    response = save(admin_client, URL, site_name="  North\twind ")
    assert response.status_code == 422
    response = save(admin_client, URL, site_name=" Northwind ")
    assert response.status_code == 303
    page = admin_client.get(response.location).text
    assert "Saved." in page
    assert "Changed here" in page
    assert in_force(app, "site_name") == "Northwind"


def test_sources_are_told_apart(admin_client: PageClient) -> None:
    page = admin_client.get(f"{URL}?q=sign+out+users").text
    assert "From the environment" in page
    assert "Default" in page


def test_durations_have_units(app: Flask, admin_client: PageClient) -> None:
    url = f"{URL}?group=accounts"
    assert form_fields(admin_client, url)["session_idle_minutes"] == "7"
    response = save(admin_client, url, session_idle_minutes="12", session_idle_minutes__unit="60")
    assert response.status_code == 303
    assert in_force(app, "session_idle_minutes") == 720
    response = save(admin_client, url, session_idle_minutes="soon")
    assert response.status_code == 422
    assert "Give a whole number." in response.text
    assert 'value="soon"' in response.text


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(
    app: Flask, admin_client: PageClient
) -> None:
    response = save(
        admin_client,
        f"{URL}?group=accounts",
        password_min_length="3",
        registration_domains="a.example, b.example",
    )
    assert response.status_code == 422
    page = read(response)
    (field,) = [each for each in page.fields if each.get("name") == "password_min_length"]
    assert (field["value"], field["aria-invalid"]) == ("3", "true")
    assert "Give at least 8." in response.text
    assert "a.example, b.example" in response.text
    assert in_force(app, "registration_domains") == ()


def test_lists_are_typed_one_a_line(app: Flask, admin_client: PageClient) -> None:
    save(admin_client, f"{URL}?group=accounts", registration_domains="a.example\r\n b.example ,c.example\n\n")
    assert in_force(app, "registration_domains") == ("a.example", "b.example", "c.example")


def test_switches(app: Flask, admin_client: PageClient) -> None:
    url = f"{URL}?group=accounts"
    fields = form_fields(admin_client, url)
    assert "registration_open" in fields
    del fields["registration_open"]
    assert admin_client.post(url, data=fields).status_code == 303
    assert in_force(app, "registration_open") is False


def test_somebody_else_s_change_is_shown_and_not_written_over(app: Flask, admin_client: PageClient) -> None:
    mine = form_fields(admin_client, URL)
    with app.app_context():
        service.change(audit.SYSTEM, {"site_name": "Theirs"})
    response = admin_client.post(URL, data={**mine, "site_name": "Mine", "default_timezone": "Asia/Shanghai"})
    assert response.status_code == 409
    assert "meanwhile" in response.text
    assert 'value="Mine"' in response.text
    assert "In force now: Theirs" in response.text
    assert in_force(app, "default_timezone") == "UTC"
    fields = {name: value for form in read(response).forms for name, value in form["fields"].items()}
    again = {**mine, "site_name": "Mine", "site_name__version": fields["site_name__version"]}
    assert admin_client.post(URL, data=again).status_code == 303
    assert in_force(app, "site_name") == "Mine"


class TestSecrets:
    """Write-only: set, replaced, removed, and never on a page."""

    url = f"{URL}?group=mail"

    def test_of_the_environment(self, admin_client: PageClient) -> None:
        page = admin_client.get(self.url).text
        assert "Set in the environment" in page
        assert "of-the-environment" not in page

    def test_set_and_kept_and_removed(self, app: Flask, admin_client: PageClient) -> None:
        assert save(admin_client, self.url, mail_password="s3cret-1").status_code == 303
        page = admin_client.get(self.url).text
        assert "Set on" in page
        assert "s3cret" not in page
        save(admin_client, self.url, mail_port="25")
        assert in_force(app, "mail_password").get_secret_value() == "s3cret-1"
        history = admin_client.get("/admin/settings/mail_password/history").text
        assert "s3cret" not in history
        assert "A secret" in history
        save(admin_client, self.url, mail_password__remove="y")
        assert in_force(app, "mail_password").get_secret_value() == ""

    def test_not_shown_again_after_a_fault(self, admin_client: PageClient) -> None:
        response = save(admin_client, self.url, mail_password="s3cret-1", mail_port="0")
        assert response.status_code == 422
        assert "s3cret" not in response.text

    def test_goes_with_its_server_and_that_is_said(self, app: Flask, admin_client: PageClient) -> None:
        save(admin_client, self.url, mail_server="smtp.one.example", mail_password="s3cret-1")
        response = save(admin_client, self.url, mail_server="smtp.two.example")
        assert "was removed, because" in admin_client.get(response.location).text
        assert in_force(app, "mail_password").get_secret_value() == ""


class TestHistory:
    """Versions, their difference, and the way back."""

    def test_versions_and_revert(self, app: Flask, admin_client: PageClient) -> None:
        save(admin_client, URL, site_name="One")
        save(admin_client, URL, site_name="Two")
        path = "/admin/settings/site_name/history"
        page = admin_client.get(path).text
        assert "mei.chen" in page
        assert page.index("Two") < page.index("The environment&#39;s value")
        response = admin_client.submit(
            "/admin/settings/site_name/revert", {"seen": "2", "version": "1"}, page=path
        )
        assert response.status_code == 303
        assert in_force(app, "site_name") == "One"
        with app.app_context():
            entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "setting:reverted")).one()
            assert json.loads(entry.before)["site_name"] == "Two"

    def test_back_to_the_environment(self, app: Flask, admin_client: PageClient) -> None:
        save(admin_client, URL, site_name="One")
        admin_client.submit("/admin/settings/site_name/revert", {"seen": "1"}, page=URL)
        assert in_force(app, "site_name") == "Agent Tools"

    def test_stale_page_changes_nothing(self, app: Flask, admin_client: PageClient) -> None:
        save(admin_client, URL, site_name="One")
        response = admin_client.submit("/admin/settings/site_name/revert", {"seen": "0"}, page=URL)
        assert "meanwhile" in admin_client.get(response.location).text
        assert in_force(app, "site_name") == "One"

    def test_older_versions_are_on_a_second_page(self, app: Flask, admin_client: PageClient) -> None:
        with app.app_context():
            for number in range(60):
                service.change(audit.SYSTEM, {"site_name": f"Name {number}."})
        page = admin_client.get("/admin/settings/site_name/history").text
        assert "Name 10." in page
        assert "Name 8." not in page
        assert "Name 8." in admin_client.get("/admin/settings/site_name/history?before=11").text

    @pytest.mark.parametrize("name", ["secret_key", "nothing", "database_url"])
    def test_other_settings_are_not_there(self, admin_client: PageClient, name: str) -> None:
        assert admin_client.get(f"/admin/settings/{name}/history").status_code == 404
        assert (
            admin_client.submit(f"/admin/settings/{name}/revert", {"seen": "0"}, page=URL).status_code == 404
        )


@pytest.mark.parametrize(
    ("words", "there", "absent"),
    [
        ("smtp", "Mail server", "Time zone"),
        ("SITE_NAME", "Name of the site", "Mail server"),
        ("people who chose", "Time zone", "Mail server"),
    ],
)
def test_search_looks_at_labels_names_and_help(
    admin_client: PageClient, words: str, there: str, absent: str
) -> None:
    page = admin_client.get(URL, query_string={"q": words}).text
    assert there in page
    assert absent not in page


def test_search_finds_nothing(admin_client: PageClient) -> None:
    page = admin_client.get(URL, query_string={"q": '<script>"xyz'})
    assert "No setting has these words" in page.text
    assert "<script>&#34;" not in page.text.split("</head>")[1].split("value=")[0]


def test_unknown_group_is_absent(admin_client: PageClient) -> None:
    assert admin_client.get(f"{URL}?group=nothing").status_code == 404


@pytest.mark.parametrize(("role", "reads", "changes"), [("auditor", 200, 403), ("operator", 403, 403)])
def test_roles(app: Flask, role: str, reads: int, changes: int) -> None:
    client = as_role(app, role)
    assert client.get(URL).status_code == reads
    token = client.csrf_token("/admin/")
    for path in (URL, "/admin/settings/site_name/revert", "/admin/settings/test-mail"):
        data = {"csrf_token": token, "site_name": "X", "site_name__version": "0", "seen": "0"}
        assert client.post(path, data=data).status_code == changes
    assert in_force(app, "site_name") == "Agent Tools"


def test_addresses_of_providers_need_their_own_permission(app: Flask) -> None:
    """M1: an admin may change the other settings of models, not where keys and chats are sent."""
    client = as_role(app, "admin")
    url = f"{URL}?group=models"
    response = save(client, url, default_model="glm-4-flash")
    assert response.status_code == 303
    fields = form_fields(client, url)
    assert "zhipuai_base_url__version" not in fields
    data = {**fields, "zhipuai_base_url": "https://evil.example", "zhipuai_base_url__version": "0"}
    assert client.post(url, data=data).status_code == 403
    assert in_force(app, "zhipuai_base_url") == "https://open.bigmodel.cn/api/paas/v4"


def test_fields_that_are_not_of_the_page_are_ignored(app: Flask, admin_client: PageClient) -> None:
    """J1: only settings of the group, with the version that was seen."""
    save(
        admin_client,
        URL,
        secret_key="x" * 50,
        secret_key__version="0",
        mail_port="99",
        mail_port__version="0",
    )
    assert in_force(app, "mail_port") == 587
    assert in_force(app, "secret_key").get_secret_value() != "x" * 50
