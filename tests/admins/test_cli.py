"""`flask admins …`."""

from __future__ import annotations

import re

from flask import Flask

from tests.pages import PageClient
from tests.people import PASSWORD, Person, add_admin, sign_in_admin


def run(app: Flask, *arguments: str, text: str | None = None) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["admins", *arguments], input=text)
    return result.exit_code, result.output


def test_create_reads_the_password_from_standard_input(app: Flask) -> None:
    code, told = run(
        app, "create", "li.si", "--email", "li@example.com", "--password-stdin", text=PASSWORD + "\n"
    )
    assert (code, PASSWORD in told) == (0, False)
    assert (
        sign_in_admin(app, Person(0, "", "li.si", "", PASSWORD)).get("/admin/administrators/").status_code
        == 200
    )


def test_create_asks_for_the_password_twice_and_does_not_show_it(app: Flask) -> None:
    code, told = run(
        app,
        "create",
        "li.si",
        "--email",
        "li@example.com",
        "--role",
        "auditor",
        text=f"{PASSWORD}\n{PASSWORD}\n",
    )
    assert (code, PASSWORD in told) == (0, False)
    assert run(app, "list") == (0, "li.si\tli@example.com\tauditor\tactive\n")


def test_password_is_no_argument(app: Flask) -> None:
    code, _told = run(app, "create", "li.si", "--email", "li@example.com", "--password", PASSWORD)
    assert code == 2


def test_refusals_are_told_in_words(app: Flask, admin: Person) -> None:
    code, told = run(app, "create", "li.si", "--email", "li@example.com", "--password-stdin", text="short\n")
    assert (code, "at least 15 characters" in told) == (1, True)
    code, told = run(app, "disable", "nobody")
    assert (code, "no administrator named nobody" in told) == (1, True)
    code, told = run(app, "disable", admin.username)
    assert (code, "last active superadmin" in told) == (1, True)


def test_disable_and_enable(app: Flask, admin: Person) -> None:
    person = add_admin(app, "li.si", "operator")
    theirs = sign_in_admin(app, person)
    assert run(app, "disable", "li.si")[0] == 0
    assert theirs.get("/admin/").status_code == 302
    assert run(app, "enable", "li.si")[0] == 0
    assert sign_in_admin(app, person).get("/admin/").status_code == 200


def test_setup_link_is_printed_and_works(app: Flask, client: PageClient) -> None:
    code, told = run(app, "setup-link")
    found = re.fullmatch(r"http://localhost(/admin/setup/\S{43})\n", told)
    assert code == 0
    assert found
    assert client.get(found[1]).status_code == 200


def test_no_setup_link_once_there_is_an_administrator(app: Flask, admin: Person) -> None:
    assert run(app, "setup-link")[0] == 1
