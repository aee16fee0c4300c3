"""Many users at once, and what a page of the list shows of them."""

from __future__ import annotations

import datetime as dt
import html
import re

from flask import Flask

from webapp.accounts.models import User
from webapp.accounts.rules import NEVER
from webapp.database import db

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def crowd(app: Flask, count: int, **values: object) -> list[str]:
    """Add users, four of whom always share the moment they were seen at; return their names, the newest first."""
    names = []
    with app.app_context():
        for number in range(count):
            name = f"person.{number:04d}"
            names.append(name)
            db.session.add(
                new_user(name, **{"last_seen_at": START + dt.timedelta(hours=number // 4), **values})
            )
        db.session.commit()
    return names[::-1]


def new_user(name: str, **values: object) -> User:
    """Return a user who is not stored yet."""
    plain: dict[str, object] = {
        "email": f"{name}@example.com",
        "email_canonical": f"{name}@example.com",
        "username": name,
        "username_canonical": name,
        "display_name": name,
        "password_hash": "none",
        "last_seen_at": NEVER,
        "created_at": START,
        "verified_at": START,
    }
    return User(**(plain | values))


def names_on(page: str) -> list[str]:
    """Return the names that a page of the list shows, in its order."""
    return [html.unescape(name) for name in re.findall(r"<div><b>(?:<a[^>]*>)?([^<]+)", page)]


def link_on(page: str, rel: str) -> str | None:
    """Return the address behind Newer (`prev`) or Older (`next`)."""
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page)
    return html.unescape(found[1]) if found else None
