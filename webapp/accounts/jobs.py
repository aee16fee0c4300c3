"""Recurring work of accounts; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.accounts import deleting

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [("erase_accounts", deleting.erase_due, 3600)]
