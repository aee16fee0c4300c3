"""The leases of the answers a process writes: while they hold, no other process takes these answers over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

from sqlalchemy import select, update

from webapp.chat import rules
from webapp.chat.models import Generation
from webapp.chat.rules import AnswerState
from webapp.database import db, write_transaction
from webapp.lib import clock

SURE_SECONDS: Final = rules.LEASE_SECONDS - rules.LEASE_RENEW_SECONDS


class Leases:
    """Knows whether the leases of this process surely hold: not after a long outage, nor after a long stop."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._renewed_at = clock.monotonic()

    @property
    def surely_hold(self) -> bool:
        """Whether no other process can have taken over an answer."""
        return clock.monotonic() - self._renewed_at < SURE_SECONDS

    def renew(self, generation_ids: Collection[int]) -> set[int]:
        """Extend the leases of these generations, and return those that are not this process's any more; commits."""
        began = clock.monotonic()
        held = _renew(self._process, generation_ids) if generation_ids else set()
        self._renewed_at = began
        return set(generation_ids) - held


def lease_end() -> dt.datetime:
    """Return until when a lease taken now holds."""
    return clock.utc_now() + dt.timedelta(seconds=rules.LEASE_SECONDS)


@write_transaction
def _renew(process: str, generation_ids: Collection[int]) -> set[int]:
    own = (
        Generation.id.in_(generation_ids),
        Generation.state == AnswerState.STREAMING.value,
        Generation.process == process,
    )
    db.session.execute(
        update(Generation).where(*own).values(lease_until=lease_end()),
        execution_options={"synchronize_session": False},
    )
    return set(db.session.scalars(select(Generation.id).where(*own)))
