"""What the usage ledger tells other features."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import func, select

from webapp.accounts.service import Usage
from webapp.database import db
from webapp.llm.models import UsageEntry


def usage_of_users(user_ids: Collection[int], since: dt.datetime) -> dict[int, Usage]:
    """Return how many answers each user got since a moment, the tokens they took and what they cost; one query for all."""
    query = (
        select(
            UsageEntry.user_id,
            func.count(),
            func.sum(UsageEntry.prompt_tokens + UsageEntry.completion_tokens),
            func.sum(UsageEntry.cost_micros),
        )
        .where(UsageEntry.user_id.in_(user_ids), UsageEntry.created_at >= since)
        .group_by(UsageEntry.user_id)
    )
    return {
        user_id: Usage(answers, int(tokens), None if cost is None else int(cost))
        for user_id, answers, tokens, cost in db.session.execute(query)
        if user_id is not None
    }
