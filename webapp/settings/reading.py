"""How the settings stand: what is in force, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from webapp.config import Settings, current_settings, deployment_settings
from webapp.database import db
from webapp.settings.changes import latest_changes
from webapp.settings.models import SettingChange, StoredSetting
from webapp.settings.overlay import current_overlay
from webapp.settings.rules import GROUPS
from webapp.settings.values import Kind, is_secret, kind_of, plain
from webapp.settings.words import WORDS

Source = Literal["default", "environment", "here"]


@dataclass(frozen=True, slots=True)
class SettingState:
    """One setting as it stands. The value of a secret is not in it: `filled` tells whether there is one."""

    name: str
    kind: Kind
    value: Any
    filled: bool
    source: Source
    changed: SettingChange | None
    lost: bool  # a secret that was encrypted with a key that is gone

    @property
    def version(self) -> int:
        """The version in force, 0 where the setting was never changed."""
        return 0 if self.changed is None else self.changed.version


def states(names: Iterable[str]) -> list[SettingState]:
    """Return how these settings stand now, in their order."""
    current_overlay().forget()
    current, base, latest = current_settings(), deployment_settings(), latest_changes()
    stored = {row.name: row for row in db.session.scalars(select(StoredSetting))}
    sealed = set(db.session.scalars(select(StoredSetting.name).where(StoredSetting.secret.is_not(None))))
    return [
        SettingState(
            name=name,
            kind=kind_of(name),
            value=None if is_secret(name) else plain(getattr(current, name)),
            filled=bool(plain(getattr(current, name))),
            source=_source(name, base, here=name in stored),
            changed=latest.get(name),
            lost=name in sealed and stored[name].secret is None,
        )
        for name in names
    ]


def matching(words: str) -> list[str]:
    """Return the settings whose label, name or explanation has all of these words, in the order of the groups."""
    wanted = words.casefold().split()
    return [name for names in GROUPS.values() for name in names if all(w in _text(name) for w in wanted)]


def _text(name: str) -> str:
    words = WORDS.get(name)
    told = f"{words.label} {words.help}" if words else ""
    return f"{name} {name.replace('_', ' ')} {told}".casefold()


def _source(name: str, base: Settings, *, here: bool) -> Source:
    if here:
        return "here"
    default = Settings.model_fields[name].default
    return "default" if getattr(base, name) == default else "environment"
