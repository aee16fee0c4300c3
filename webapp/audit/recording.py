"""Recording: an entry is written in the transaction of the change it tells of, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webapp import metrics
from webapp.audit import chain
from webapp.audit.models import AuditEntry
from webapp.audit.rules import ID_LENGTH, KIND_LENGTH, NAME_LENGTH, Event
from webapp.database import db, write_transaction
from webapp.lib import clock, ids
from webapp.web.requests import client_address, current_request_id, in_request


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody or something that acts or is acted on: its kind, its public id, and how it was called then."""

    kind: str
    id: str = ""
    name: str = ""


SYSTEM: Final = Party("system")
STRANGER: Final = Party("stranger")  # somebody who is not signed in


def party(thing: Any) -> Party:
    """Return how a model's row, or a party itself, is named in the log; rows offer `audit_party()`."""
    if isinstance(thing, Party):
        return thing
    named: Party = thing.audit_party()
    return named


def record(
    event: Event,
    *,
    actor: Any,
    target: Any = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry inside the caller's transaction.

    `before` and `after` hold the fields that changed, with plain values; mask secrets with `rules.MASKED` first.
    """
    who, whom = party(actor), party(target) if target is not None else Party("")
    entry = AuditEntry(
        public_id=ids.public_id(),
        event=event.value,
        actor_kind=who.kind[:KIND_LENGTH],
        actor_id=_plain(who.id, ID_LENGTH),
        actor_name=_plain(who.name, NAME_LENGTH),
        target_kind=whom.kind[:KIND_LENGTH],
        target_id=_plain(whom.id, ID_LENGTH),
        target_name=_plain(whom.name, NAME_LENGTH),
        address=_plain(client_address(), ID_LENGTH) if in_request() else "",
        request_id=current_request_id(),
        before=_json(before),
        after=_json(after),
        created_at=clock.utc_now(),
    )
    entry.seal = chain.mark(entry)
    db.session.add(entry)
    metrics.count("audit_events_total", event=event.value)


@write_transaction
def record_alone(
    event: Event, *, actor: Any, target: Any = None, after: Mapping[str, Any] | None = None
) -> None:
    """Record something that changes nothing else, such as a refusal, in a transaction of its own."""
    record(event, actor=actor, target=target, after=after)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return of two states only what differs."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def _json(values: Mapping[str, Any] | None) -> str:
    text = json.dumps(values or {}, ensure_ascii=False, sort_keys=True, default=str)
    return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair fits no database


def _plain(text: str, length: int) -> str:
    """Return the text with what cannot be seen made visible, so that a name cannot pass as something else."""
    visible = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return visible[:length]
