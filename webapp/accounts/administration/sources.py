"""What other features know of users: they register it, since accounts come before them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass

from flask import Flask, current_app

UsageSource = Callable[[Collection[int], dt.datetime], "dict[int, Usage]"]
BusySource = Callable[[Collection[int]], "set[int]"]
_USAGE = "usage_of_users"
_BUSY = "busy_users"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user took of the models in some time."""

    answers: int = 0
    tokens: int = 0
    cost_micros: int | None = None  # millionths of the currency; None where no price is known


def register_usage(app: Flask, source: UsageSource) -> None:
    """Tell how the usage of users since a moment is found."""
    app.extensions[_USAGE] = source


def register_busy(app: Flask, source: BusySource) -> None:
    """Tell how those of some users are found for whom an answer is being written."""
    app.extensions[_BUSY] = source


def usage_of(user_ids: Collection[int], since: dt.datetime) -> dict[int, Usage]:
    """Return the usage of users since a moment; those without any are left out."""
    source: UsageSource | None = current_app.extensions.get(_USAGE)
    return source(user_ids, since) if source and user_ids else {}


def busy_among(user_ids: Collection[int]) -> set[int]:
    """Return those of the users for whom an answer is being written."""
    source: BusySource | None = current_app.extensions.get(_BUSY)
    return source(user_ids) if source and user_ids else set()
