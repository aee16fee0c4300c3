"""Everything by which one gets at an account, ended at once: sessions (and with them open streams), tokens, links."""

from __future__ import annotations

from typing import Any

from webapp.accounts.models import User
from webapp.identity import service as identity
from webapp.identity.rules import Realm


def end_all(user: User, *, actor: Any, but_session: int | None = None, tokens: bool = True) -> int:
    """End all access inside the caller's transaction, but for one session; returns how many sessions ended.

    Tokens end with a reset, a suspension and a deletion; a password changed by its owner leaves them.
    """
    ended = identity.end_all_sessions(Realm.USER, user.id, but=but_session)
    identity.links.close_all(Realm.USER, user.id)
    if tokens:
        identity.revoke_all_tokens(Realm.USER, user.id, actor=actor)
    return ended
