"""What administrators' programs can do with settings: the same checks, versions and rights as on the pages."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any

from flask_babel import gettext as _
from pydantic import Field

from webapp.database import Page
from webapp.errors import NotFound
from webapp.settings import service
from webapp.settings.models import NAME_LENGTH, SettingChange
from webapp.settings.reading import SettingState, states
from webapp.settings.rules import CHANGEABLE, GROUPS
from webapp.settings.words import WORDS
from webapp.web.api import Answer, Body, ListQuery, Routes, administrator, caller, listing

routes = Routes("settings", tag="Settings")

READ = administrator("settings.read")
CHANGE = administrator("settings.change")
_TEXT_MAX_LENGTH = 20_000
_LINES_MAX = 1_000
_LATEST = 2**31 - 1

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
Line = Annotated[str, Field(max_length=_TEXT_MAX_LENGTH)]
Number = Annotated[int, Field(ge=-_LATEST, le=_LATEST)]
Value = Line | bool | Number | float | Annotated[tuple[Line, ...], Field(max_length=_LINES_MAX)] | None
Version = Annotated[int, Field(ge=0, le=_LATEST)]


class SettingAnswer(Answer):
    """A setting as it stands; `value` is null for a secret, and `filled` tells whether there is one.

    `source`: default, environment, or here, which means changed by an administrator.
    """

    name: str
    group: str
    label: str
    help: str
    kind: str
    value: Any
    filled: bool
    source: str
    version: int


class SettingsAnswer(Answer):
    """All settings that can be changed."""

    items: list[SettingAnswer]


class ChangeBody(Body):
    """New values by name; null goes back to the environment's, an empty text takes a secret away.

    `versions`: the version of each setting that you saw. Where somebody changed one since, nothing is changed.
    """

    values: Annotated[dict[Name, Value], Field(min_length=1, max_length=100)]
    versions: Annotated[dict[Name, Version], Field(max_length=100)] | None = None


class ChangedAnswer(Answer):
    """The settings that are different now, among them secrets that went because their service changed."""

    changed: list[str]
    items: list[SettingAnswer]


class SettingVersionAnswer(Answer):
    """One version of a setting; secrets are masked, null means the environment's value."""

    version: int
    before: Any
    after: Any
    author_kind: str
    author_name: str
    created_at: dt.datetime


class HistoryAnswer(Answer):
    """A page of versions, the newest first."""

    items: list[SettingVersionAnswer]
    next: str | None


class RevertBody(Body):
    """The version to go back to, and the one you saw."""

    version: Annotated[int, Field(ge=1, le=_LATEST)]
    seen: Version | None = None


@routes.get("/admin/settings", READ, answer=SettingsAnswer)
def settings() -> SettingsAnswer:
    """Read the settings."""
    return SettingsAnswer(items=_all())


@routes.patch("/admin/settings", CHANGE, body=ChangeBody, answer=ChangedAnswer, refusals=(409,))
def change(body: ChangeBody) -> ChangedAnswer:
    """Change settings: all that are sent, or none."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in body.values.items()}
    changed = service.change(caller().person, values, expected_versions=body.versions)
    return ChangedAnswer(changed=changed, items=[each for each in _all() if each.name in changed])


@routes.get("/admin/settings/<name>/history", READ, query=ListQuery, answer=HistoryAnswer)
def history(name: str, query: ListQuery) -> dict[str, Any]:
    """List the versions of a setting."""
    _check_name(name)
    before = int(query.cursor) if query.cursor else None
    found = service.history(name, before=before, limit=query.limit + 1)
    shown = found[: query.limit]
    following = str(shown[-1].version) if len(found) > query.limit else None
    return listing(Page(shown, following), _of_version)


@routes.post(
    "/admin/settings/<name>/revert", CHANGE, body=RevertBody, answer=ChangedAnswer, refusals=(404, 409)
)
def revert(name: str, body: RevertBody) -> ChangedAnswer:
    """Give a setting the value of an earlier version."""
    _check_name(name)
    changed = service.revert(caller().person, name, body.version, expected_version=body.seen)
    return ChangedAnswer(changed=changed, items=[each for each in _all() if each.name in changed])


def _check_name(name: str) -> None:
    if name not in CHANGEABLE:
        raise NotFound(_("There is no such setting."))


def _all() -> list[SettingAnswer]:
    groups = {name: group for group, names in GROUPS.items() for name in names}
    return [_of_state(each, groups[each.name]) for each in states(groups)]


def _of_state(state: SettingState, group: str) -> SettingAnswer:
    words = WORDS.get(state.name)
    return SettingAnswer(
        name=state.name,
        group=group,
        label=str(words.label) if words else state.name,
        help=str(words.help) if words else "",
        kind=state.kind.value,
        value=state.value,
        filled=state.filled,
        source=state.source,
        version=state.version,
    )


def _of_version(change: SettingChange) -> SettingVersionAnswer:
    return SettingVersionAnswer(
        version=change.version,
        before=json.loads(change.before),
        after=json.loads(change.after),
        author_kind=change.author_kind,
        author_name=change.author_name,
        created_at=change.created_at,
    )
