"""The small numbers in the navigation: counted by each process now and then, not for each page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import current_app

from webapp.accounts import figures as people
from webapp.lib import clock
from webapp.mail import figures as mail

SECONDS: Final = 60.0
_EXTENSION: Final = "navigation_counts"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many users there are, and how many mails wait."""

    users: int
    mail: int


def counts() -> Counts:
    """Return the numbers, at most a minute old."""
    kept: tuple[float, Counts] | None = current_app.extensions.get(_EXTENSION)
    now = clock.monotonic()
    if kept is None or now - kept[0] > SECONDS:
        kept = current_app.extensions[_EXTENSION] = (now, Counts(people.user_count(), mail.waiting_count()))
    return kept[1]
