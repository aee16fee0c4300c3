"""What the audit log says, for tests."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from sqlalchemy import select

from webapp.audit.models import AuditEntry
from webapp.database import db


def entries(app: Flask, event: str) -> list[dict[str, Any]]:
    """Return the entries of one event, oldest first."""
    with app.app_context():
        rows = db.session.scalars(select(AuditEntry).where(AuditEntry.event == event).order_by(AuditEntry.id))
        return [
            {
                "actor": row.actor_name or row.actor_kind,
                "target": row.target_name,
                "before": json.loads(row.before),
                "after": json.loads(row.after),
            }
            for row in rows
        ]
