"""What the audit log holds, for tests of what has to be recorded."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from sqlalchemy import select

from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.database import db


def entries(app: Flask, event: Event) -> list[dict[str, Any]]:
    """Return the entries of an event, oldest first."""
    with app.app_context():
        query = select(AuditEntry).where(AuditEntry.event == event.value).order_by(AuditEntry.id)
        return [
            {
                "actor": (entry.actor_kind, entry.actor_name),
                "target": (entry.target_kind, entry.target_name),
                "before": json.loads(entry.before),
                "after": json.loads(entry.after),
            }
            for entry in db.session.scalars(query)
        ]
