"""C2 for administrators: a refusal takes the same steps whether there is such an account or not."""

from __future__ import annotations

from flask import Flask

from tests.database.statements import statements_of
from tests.people import PASSWORD, Person, add_admin
from webapp.admins.models import Admin
from webapp.database import db


def test_refusals_take_the_same_steps_for_known_disabled_and_unknown_names(app: Flask, admin: Person) -> None:
    disabled = add_admin(app, "li.si", "auditor")
    with app.app_context():
        db.session.get_one(Admin, disabled.id).state = "disabled"
        db.session.commit()
    client = app.test_client()

    def try_in(login: str, password: str) -> None:
        response = client.submit("/admin/login", {"login": login, "password": password})  # type: ignore[attr-defined]
        assert response.status_code == 422

    try_in("warming up", PASSWORD)
    cases = ((admin.username, "not this one"), (disabled.username, PASSWORD), ("somebody", PASSWORD))
    seen = [statements_of(app, lambda case=case: try_in(*case)) for case in cases]  # type: ignore[misc]
    assert len(seen[0]) > 5
    assert seen[0] == seen[1] == seen[2]
