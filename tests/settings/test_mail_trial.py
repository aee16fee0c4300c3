"""The test mail: sent at once over a real socket, and its outcome told in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from flask import Flask
from sqlalchemy import select

from tests.letters import letters_to
from tests.pages import PageClient
from tests.services import free_port
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.database import db
from webapp.settings import service

PAGE = "/admin/settings/?group=mail"


class Inbox:
    """A mail server's handler: keeps what it takes, refuses one receiver."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 OK"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def mail_server(app: Flask, inbox: Inbox) -> Iterator[dict[str, Any]]:
    """The settings of a mail server that is running, and in force."""
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        auth_require_tls=False,
        authenticator=lambda *_arguments: AuthResult(success=False, handled=False),
    )
    controller.start()
    values = {"mail_server": "127.0.0.1", "mail_port": controller.port, "mail_use_tls": False}
    with app.app_context():
        service.change(audit.SYSTEM, values)
    yield values
    controller.stop()


def send(client: PageClient, to: str) -> Any:
    return client.submit("/admin/settings/test-mail", {"to": to}, page=PAGE)


def test_it_arrives_and_is_recorded(
    app: Flask, admin_client: PageClient, mail_server: dict[str, Any], inbox: Inbox
) -> None:
    response = send(admin_client, "somebody@example.com")
    assert response.status_code == 200
    assert "The mail server took the mail." in response.text
    (envelope,) = inbox.taken
    assert envelope.rcpt_tos == ["somebody@example.com"]
    assert b"This is a test" in envelope.content
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "mail:tested")).one()
        assert json.loads(entry.after) == {"to": "somebody@example.com", "outcome": "sent"}


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ({}, "nobody@example.com", "refused the mail"),
        ({"mail_port": 1}, "a@example.com", "cannot be reached"),
        ({"mail_use_tls": True}, "a@example.com", "No encrypted connection"),
        ({"mail_use_ssl": True}, "a@example.com", "No encrypted connection"),
        ({"mail_username": "u", "mail_password": "p"}, "a@example.com", "refused the user name or password"),
    ],
)
def test_what_went_wrong_is_told_in_words(
    app: Flask,
    admin_client: PageClient,
    mail_server: dict[str, Any],
    changed: dict[str, Any],
    to: str,
    words: str,
) -> None:
    with app.app_context():
        service.change(audit.SYSTEM, {**changed, "mail_timeout_seconds": 5})
    response = send(admin_client, to)
    assert words in response.text
    assert "Traceback" not in response.text


def test_without_a_server_it_lies_on_the_developer_s_page(app: Flask, admin_client: PageClient) -> None:
    assert "/dev/mail" in send(admin_client, "somebody@example.com").text
    assert letters_to(app, "somebody@example.com") == [{"test": True}]


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@example.com, b@example.com", "a@example.com\nBcc: b@example.com"]
)
def test_exactly_one_address(admin_client: PageClient, mail_server: Any, inbox: Inbox, to: str) -> None:
    assert send(admin_client, to).status_code == 422
    assert inbox.taken == []
