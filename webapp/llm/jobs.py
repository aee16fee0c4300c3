"""Recurring work of the usage ledger; harmless when several processes do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from webapp.llm import rollup

JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [("roll_up_usage", rollup.roll_up, 3600)]
