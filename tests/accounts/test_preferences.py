"""How pages and mail are written for somebody."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.pages import PageClient, read
from tests.people import Person
from webapp.accounts.models import User
from webapp.database import db

PAGE = "/profile/preferences"


def test_language_and_zone_are_kept_on_the_account(app: Flask, signed_in: PageClient, user: Person) -> None:
    response = signed_in.submit(PAGE, {"locale": "zh_CN", "timezone": "Asia/Shanghai"})
    assert response.location == PAGE
    assert read(signed_in.get(PAGE, headers={"Accept-Language": "en"})).language == "zh-CN"
    with app.app_context():
        row = db.session.get_one(User, user.id)
        assert (row.locale, row.timezone) == ("zh_CN", "Asia/Shanghai")
    signed_in.submit(PAGE, {"locale": "", "timezone": ""})
    with app.app_context():
        row = db.session.get_one(User, user.id)
        assert (row.locale, row.timezone) == (None, None)


@pytest.mark.parametrize(
    "data", [{"locale": "xx", "timezone": ""}, {"locale": "", "timezone": "../../etc/passwd"}]
)
def test_what_is_not_offered_is_refused(signed_in: PageClient, data: dict[str, str]) -> None:
    assert signed_in.submit(PAGE, data).status_code == 422
