"""What lies in the outbox, as the receiver would read it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from webapp.database import db
from webapp.mail import outbox
from webapp.mail.models import MailMessage


def letters_to(app: Flask, address: str) -> list[dict[str, Any]]:
    """Return what the mails to an address say, oldest first."""
    with app.app_context():
        query = select(MailMessage).where(MailMessage.to_address == address).order_by(MailMessage.id)
        return [outbox.unseal(message) for message in db.session.scalars(query)]


def codes_to(app: Flask, address: str) -> list[str]:
    """Return the codes mailed to an address, oldest first."""
    return [str(letter["code"]) for letter in letters_to(app, address) if "code" in letter]


def notices_to(app: Flask, address: str) -> list[str]:
    """Return the events an address was told of, oldest first."""
    return [str(letter["event"]) for letter in letters_to(app, address) if "event" in letter]


def wrong_code(right: str) -> str:
    """Return six digits that are not the code."""
    return f"{(int(right) + 1) % 1_000_000:06d}"
