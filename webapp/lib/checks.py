"""The system check: units register what they can look at, and one place runs it all.

The page of the dashboard shows the findings, and a command prints them. A check looks and changes nothing; what it
cannot reach it reports in words instead of raising.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from flask import Flask

State = Literal["ok", "warn", "bad", "idle"]
_EXTENSION: Final = "system_checks"


@dataclass(frozen=True, slots=True)
class Finding:
    """How it stands: a few words, and the sentence that says how to mend it. `idle`: not set up, and need not be."""

    state: State
    value: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that can be looked at; `label` may be a lazy translation."""

    name: str
    label: Any
    look: Callable[[], Finding]


def register(app: Flask, name: str, label: Any, look: Callable[[], Finding]) -> None:
    """Add a check to those of the application; one of the same name is replaced."""
    app.extensions.setdefault(_EXTENSION, {})[name] = Check(name, label, look)


def run(app: Flask) -> list[tuple[Check, Finding]]:
    """Look at everything, in the order in which it was registered."""
    checks: dict[str, Check] = app.extensions.get(_EXTENSION, {})
    return [(check, check.look()) for check in checks.values()]
