"""The set-up wizard after its first step: site, mail, models; each can be skipped, and each is stored as a setting."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.admins.records import entries
from tests.pages import PageClient, read
from tests.people import add_admin, sign_in_admin
from webapp import app as application
from webapp.config import current_settings

FORM = {"username": "mei.chen", "email": "mei@example.com", "password": "correct horse battery"}
MAIL = {
    "mail_server": "smtp.example.com",
    "mail_port": "587",
    "encryption": "starttls",
    "mail_sender": "tools@example.com",
    "to": "mei@example.com",
}


def test_wizard_leads_from_step_to_step(app: Flask, client: PageClient) -> None:
    token = application.setup_token(app)
    assert client.submit(f"/admin/setup/{token}", FORM).location == "/admin/setup/site"
    site = {"site_name": "Acme", "default_locale": "zh_CN", "default_timezone": "Asia/Shanghai"}
    assert client.submit("/admin/setup/site", site).location == "/admin/setup/mail"
    assert client.submit("/admin/setup/mail", MAIL).location == "/admin/setup/model"
    model = {"provider": "zhipu", "zhipuai_api_key": "id.secret"}
    assert client.submit("/admin/setup/model", model).location == "/admin/"
    with app.app_context():
        settings = current_settings()
        assert (settings.site_name, settings.default_locale) == ("Acme", "zh_CN")
        assert (settings.mail_server, settings.mail_use_tls) == ("smtp.example.com", True)
        assert settings.zhipuai_api_key.get_secret_value() == "id.secret"
    assert "id.secret" not in str(entries(app, "setting:changed"))


@pytest.mark.parametrize(("step", "next_step"), [("site", "mail"), ("mail", "model"), ("model", "")])
def test_every_step_can_be_skipped(admin_client: PageClient, step: str, next_step: str) -> None:
    page = admin_client.get(f"/admin/setup/{step}").text
    target = f"/admin/setup/{next_step}" if next_step else "/admin/"
    assert f'<a href="{target}">Skip this step</a>' in page


def test_wrong_values_are_told_beside_their_field_and_nothing_is_stored(
    app: Flask, admin_client: PageClient
) -> None:
    answer = admin_client.submit("/admin/setup/mail", MAIL | {"mail_port": "99999"})
    assert answer.status_code == 422
    answer = admin_client.submit("/admin/setup/mail", MAIL | {"mail_sender": "nobody"})
    assert answer.status_code == 422
    assert {"mail_sender"} == {each["name"] for each in read(answer).fields if each.get("aria-invalid")}
    assert (
        admin_client.submit("/admin/setup/model", {"provider": "zhipu", "zhipuai_api_key": "x"}).status_code
        == 422
    )
    with app.app_context():
        assert current_settings().mail_server == ""


def test_test_mail_is_sent_and_told(app: Flask, admin_client: PageClient) -> None:
    """Without a mail server, in the tests' profile, it is shown on the developer's page."""
    answer = admin_client.submit("/admin/setup/mail", MAIL | {"mail_server": "", "test": "1"})
    assert answer.status_code == 200
    assert "note ok" in answer.text
    assert len(entries(app, "mail:tested")) == 1


def test_model_that_is_not_set_is_told(admin_client: PageClient) -> None:
    answer = admin_client.submit("/admin/setup/model", {"provider": "openai_compatible", "test": "1"})
    assert answer.status_code == 200
    assert "note bad" in answer.text


def test_steps_need_the_right_to_change_settings(app: Flask) -> None:
    client = sign_in_admin(app, add_admin(app, "li.si", "auditor"))
    for step in ("site", "mail", "model"):
        assert client.get(f"/admin/setup/{step}").status_code == 403
