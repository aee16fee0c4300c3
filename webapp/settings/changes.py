"""Changing settings: all of one call or nothing, each change a version, with its entry in the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import gettext as _
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from webapp.audit import service as audit
from webapp.audit.rules import MASKED, Event
from webapp.config import Settings, deployment_settings
from webapp.database import db, write_transaction
from webapp.errors import Invalid, NotAllowed, NotFound
from webapp.lib import clock
from webapp.settings import origins
from webapp.settings.faults import SettingsConflict, judged
from webapp.settings.models import SettingChange, StoredSetting
from webapp.settings.overlay import current_overlay, overlaid
from webapp.settings.rules import CHANGEABLE, HISTORY_PAGE, OF_PROVIDERS
from webapp.settings.values import is_secret, plain, shown, stored_value

ENVIRONMENT: Final = "environment"
HERE: Final = "here"


def change(
    actor: Any,
    values: Mapping[str, Any],
    *,
    expected_versions: Mapping[str, int] | None = None,
    event: Event = Event.SETTING_CHANGED,
) -> list[str]:
    """Set settings and return the names of those that are different now.

    None means: back to the environment's value. An empty text takes a secret away. What is in force already is left
    alone. A secret goes when the service it is meant for changes and no new one comes along.
    `expected_versions` holds the version of each setting that the actor saw, 0 for one that was never changed.

    `actor` is an administrator, or `audit.SYSTEM` for the command line. Raises NotAllowed; SettingsInvalid or
    SettingsConflict, whose `faults` have a sentence for each setting; nothing is changed then.
    """
    _check_rights(actor, values)
    try:
        changed = _change(actor, values, expected_versions, event)
    except IntegrityError:  # somebody else has written the same version of a setting at this very moment
        raise SettingsConflict(dict.fromkeys(values, _meanwhile())) from None
    current_overlay().changed()
    return changed


def revert(actor: Any, name: str, version: int, *, expected_version: int | None = None) -> list[str]:
    """Give a setting the value it had as of a version; raises as `change` does, and NotFound."""
    past = find_change(name, version)
    if past is None:
        raise NotFound(_("There is no such version of this setting."))
    value = json.loads(past.after)
    if is_secret(name) and value == MASKED:
        raise Invalid(
            _("The texts of secrets are not kept in the history. Type the secret anew."),
            code="secret_not_kept",
        )
    expected = None if expected_version is None else {name: expected_version}
    return change(actor, {name: value}, expected_versions=expected, event=Event.SETTING_REVERTED)


def history(name: str, *, before: int | None = None, limit: int = HISTORY_PAGE) -> Sequence[SettingChange]:
    """Return the changes of a setting, newest first, optionally only those below a version."""
    query = select(SettingChange).where(SettingChange.name == name)
    if before is not None:
        query = query.where(SettingChange.version < before)
    return db.session.scalars(query.order_by(SettingChange.version.desc()).limit(limit)).all()


def find_change(name: str, version: int) -> SettingChange | None:
    """Return one version of a setting."""
    return db.session.scalar(
        select(SettingChange).where(SettingChange.name == name, SettingChange.version == version)
    )


def latest_changes() -> dict[str, SettingChange]:
    """Return the newest change of each setting that was ever changed."""
    newest = (
        select(SettingChange.name, func.max(SettingChange.version).label("version"))
        .group_by(SettingChange.name)
        .subquery()
    )
    query = select(SettingChange).join(
        newest, (SettingChange.name == newest.c.name) & (SettingChange.version == newest.c.version)
    )
    return {each.name: each for each in db.session.scalars(query)}


def _check_rights(actor: Any, values: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - CHANGEABLE)
    if unknown:
        raise Invalid(
            _("There is no setting %(name)s to be changed here.", name=unknown[0]), field=unknown[0]
        )
    if actor == audit.SYSTEM:
        return
    needed = ["settings.change", *(["providers.change"] if OF_PROVIDERS & set(values) else [])]
    if not all(actor.may(permission) for permission in needed):
        raise NotAllowed(_("Your role does not allow changing these settings."))


@write_transaction
def _change(
    actor: Any, values: Mapping[str, Any], expected_versions: Mapping[str, int] | None, event: Event
) -> list[str]:
    base = deployment_settings()
    rows = {row.name: row for row in db.session.scalars(select(StoredSetting))}
    current = overlaid(base, {name: stored_value(row.value, row.secret) for name, row in rows.items()})
    latest = latest_changes()
    after = judged(current, _proposed(base, values))
    if expected_versions is not None:
        values = _untouched_left_out(base, current, after, values, expected_versions, latest)
        after = judged(current, _proposed(base, values))
    to_environment = {name for name, value in values.items() if value is None}
    blanked = origins.check(base, current, after, to_environment, values)
    after = after.model_copy(update=dict.fromkeys(blanked, SecretStr("")))
    changed = [
        name
        for name in [*values, *(name for name in blanked if name not in values)]
        if (name in rows if name in to_environment else getattr(current, name) != getattr(after, name))
    ]
    for name in changed:
        version = latest[name].version + 1 if name in latest else 1
        back = name in to_environment
        _write(
            actor, name, rows.get(name), getattr(current, name), getattr(after, name), version, event, back
        )
    return changed


def _write(
    actor: Any,
    name: str,
    row: StoredSetting | None,
    old: Any,
    new: Any,
    version: int,
    event: Event,
    back: bool,  # noqa: FBT001
) -> None:
    """Store one setting, its version and its entry in the audit log."""
    now, author = clock.utc_now(), audit.party(actor)
    before = {name: shown(old), "source": ENVIRONMENT if row is None else HERE}
    db.session.add(
        SettingChange(
            name=name,
            version=version,
            before="null" if row is None else json.dumps(shown(old), ensure_ascii=False),
            after="null" if back else json.dumps(shown(new), ensure_ascii=False),
            author_kind=author.kind,
            author_id=author.id,
            author_name=author.name,
            created_at=now,
        )
    )
    if back:
        db.session.delete(row)
    else:
        row = row or StoredSetting(name=name)
        secret = plain(new) if is_secret(name) else None
        row.value = json.dumps("" if is_secret(name) else plain(new), ensure_ascii=False)
        row.secret = secret or None
        row.version, row.updated_at = version, now
        db.session.add(row)
    audit.record(
        event,
        actor=actor,
        target=audit.Party("setting", name, name),
        before=before,
        after={name: shown(new), "source": ENVIRONMENT if back else HERE},
    )


def _proposed(base: Settings, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(base, name) if value is None else value for name, value in values.items()}


def _untouched_left_out(
    base: Settings,
    current: Settings,
    after: Settings,
    values: Mapping[str, Any],
    expected_versions: Mapping[str, int],
    latest: Mapping[str, SettingChange],
) -> dict[str, Any]:
    """Return what the actor meant to change; raises SettingsConflict where somebody else changed that meanwhile."""
    meant, faults = dict(values), {}
    for name, value in values.items():
        newest, expected = latest.get(name), expected_versions.get(name, 0)
        if newest is None or newest.version == expected:
            continue
        seen = find_change(name, expected)
        was = None if seen is None else json.loads(seen.after)
        was = plain(getattr(base, name)) if was is None else was
        untouched = value is not None and not is_secret(name) and plain(getattr(after, name)) == was
        if untouched:
            del meant[name]  # it was only on the page
        elif value is None or getattr(after, name) != getattr(current, name):
            faults[name] = _meanwhile(newest.author_name)
    if faults:
        raise SettingsConflict(faults)
    return meant


def _meanwhile(author: str = "") -> str:
    if author:
        return str(
            _(
                "%(name)s changed this meanwhile. Look at the value now in force, then save again.",
                name=author,
            )
        )
    return str(_("Somebody changed this meanwhile. Look at the value now in force, then save again."))
