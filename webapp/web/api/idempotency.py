"""A call that is repeated with the same Idempotency-Key is carried out once, and answered each time.

The key is claimed by a row before the call is carried out; whoever comes second waits for the answer. A refusal frees
the key: nothing was done. A call that broke in the middle keeps it, because nobody knows what was done.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Final

from flask import Response, current_app, g, request
from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import AppError, Conflict, Invalid
from webapp.lib import clock
from webapp.web.api.contract import Contract
from webapp.web.api.models import IdempotencyKey

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEPT: Final = dt.timedelta(hours=24)
LONGEST_CALL: Final = dt.timedelta(minutes=2)  # one that is older has no process any more
WAIT_SECONDS: Final = 20.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 0.5
_KEY: Final = re.compile(r"[!-~]{1,128}")


def once(contract: Contract, handle: Callable[[], Response]) -> Response:
    """Carry the call out, or answer what the first one of this key was answered; without a key just carry it out."""
    key = request.headers.get(HEADER)
    if key is None:
        return handle()
    if not _KEY.fullmatch(key):
        raise Invalid(
            _("This has 1 to 128 letters, digits and signs of ASCII, without spaces."), field=HEADER
        )
    who, fingerprint = _caller_key(), _fingerprint(contract)
    row_id = _claim(who, key, fingerprint)
    if row_id is None:
        return _answer_of_first(who, key, fingerprint, handle)
    return _carry_out(row_id, handle)


@write_transaction
def purge() -> None:
    """Forget the keys that are older than they are promised to work."""
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at < clock.utc_now()))


def _carry_out(row_id: int, handle: Callable[[], Response]) -> Response:
    try:
        response = handle()
    except (AppError, HTTPException):
        _free(row_id)
        raise
    _keep(row_id, response.status_code, response.get_data(as_text=True))
    return response


def _answer_of_first(who: str, key: str, fingerprint: str, handle: Callable[[], Response]) -> Response:
    """Wait for the call that came first and give its answer; take its place where it was refused meanwhile."""
    end, pause = time.monotonic() + WAIT_SECONDS, _FIRST_PAUSE_SECONDS
    while True:
        row = _find(who, key)
        if row is None:
            row_id = _claim(who, key, fingerprint)
            if row_id is not None:
                return _carry_out(row_id, handle)
            continue
        if not hmac.compare_digest(row.fingerprint, fingerprint):
            sentence = _("This key was used for another call already. Use a new one.")
            raise Invalid(sentence, code="idempotency_key_reused", field=HEADER)
        if row.status is not None:
            return _replayed(row)
        if clock.utc_now() - row.created_at > LONGEST_CALL:
            sentence = _("The first call of this key broke off. Look what it did, then use a new key.")
            raise Conflict(sentence, code="idempotency_unknown", field=HEADER)
        if time.monotonic() >= end:
            sentence = _("The first call of this key is still under way. Try again in a moment.")
            raise Conflict(sentence, code="idempotency_in_progress", field=HEADER, retry_after_seconds=2)
        db.session.rollback()  # no connection is held while this waits
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def _replayed(row: IdempotencyKey) -> Response:
    if row.answer is None:
        sentence = _("The first call of this key was carried out; its answer cannot be read any more.")
        raise Conflict(sentence, code="idempotency_unknown", field=HEADER)
    response = current_app.response_class(row.answer, row.status, content_type="application/json")
    response.headers[REPLAYED] = "true"
    return response


def _find(who: str, key: str) -> IdempotencyKey | None:
    db.session.rollback()
    return db.session.scalar(
        select(IdempotencyKey)
        .where(IdempotencyKey.caller == who, IdempotencyKey.key == key)
        .execution_options(populate_existing=True)
    )


def _claim(who: str, key: str, fingerprint: str) -> int | None:
    """Return the id of the row, None where somebody has the key already."""
    try:
        return _insert(who, key, fingerprint)
    except IntegrityError:
        return None


@write_transaction
def _insert(who: str, key: str, fingerprint: str) -> int:
    now = clock.utc_now()
    mine = (IdempotencyKey.caller == who) & (IdempotencyKey.key == key)
    db.session.execute(delete(IdempotencyKey).where(mine, IdempotencyKey.expires_at < now))
    values = {
        "caller": who,
        "key": key,
        "fingerprint": fingerprint,
        "created_at": now,
        "expires_at": now + KEPT,
    }
    row = IdempotencyKey(**values)
    db.session.add(row)
    db.session.flush()
    return row.id


@write_transaction
def _free(row_id: int) -> None:
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.id == row_id))


@write_transaction
def _keep(row_id: int, status: int, answer: str) -> None:
    query = update(IdempotencyKey).where(IdempotencyKey.id == row_id)
    db.session.execute(query.values(status=status, answer=answer))


def _caller_key() -> str:
    who = g.get("api_caller")
    return "stranger" if who is None else who.key


def _fingerprint(contract: Contract) -> str:
    """Return what tells this call from others: keyed, because a body may hold a password."""
    secret = current_settings().secret_key.get_secret_value().encode()
    head = f"idempotency\0{contract.endpoint}\0{request.full_path}\0{request.mimetype}\0"
    return hmac.new(secret, head.encode() + request.get_data(cache=True), hashlib.sha256).hexdigest()
