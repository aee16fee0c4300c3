"""Ending what programs may do for a user."""

from __future__ import annotations

from typing import Any

from webapp.accounts.models import User
from webapp.database import write_transaction
from webapp.identity import service as identity
from webapp.identity.rules import Realm


@write_transaction
def end_tokens(user: User, *, actor: Any) -> int:
    """End all API tokens of a user at once; returns how many there were."""
    return identity.revoke_all_tokens(Realm.USER, user.id, actor=actor)
