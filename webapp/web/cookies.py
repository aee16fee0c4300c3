"""The session cookie, which both realms share: signing in or out of one leaves the other as it was.

Of the cookie before, only the other realm's token is taken over. It is a random value that the server looks up at
each request, so nothing that somebody planted gains anything by it (requirement E1); all else, the CSRF token
included, is made anew.
"""

from __future__ import annotations

from typing import Final

from flask import session

USER_KEYS: Final = ("_user_id", "_fresh", "_id")  # Flask-Login's
ADMIN_TOKEN: Final = "admin_token"  # noqa: S105 - where the token of an administrator's session is kept


def begin_user(*, keep: bool) -> None:
    """Start the cookie anew for a user who is about to be signed in; an administrator's session stays."""
    _start_anew(ADMIN_TOKEN)
    session.permanent = keep


def begin_admin(token: str) -> None:
    """Start the cookie anew with an administrator's session; that of a user stays."""
    _start_anew(*USER_KEYS)
    session[ADMIN_TOKEN] = token


def end_user() -> None:
    """Forget the user."""
    _start_anew(ADMIN_TOKEN)


def end_admin() -> None:
    """Forget the administrator."""
    _start_anew(*USER_KEYS)


def _start_anew(*kept: str) -> None:
    values = {name: session[name] for name in kept if name in session}
    permanent = session.permanent and bool(values)
    session.clear()
    session.update(values)
    session.permanent = permanent
