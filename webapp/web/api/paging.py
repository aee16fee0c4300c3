"""Lists of the API: bounded pages, continued by a signed cursor that fits no other list."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

from flask import request
from flask_babel import gettext as _
from pydantic import Field

from webapp.config import current_settings
from webapp.database import Page
from webapp.errors import Invalid
from webapp.web.api.contract import Query

T = TypeVar("T")

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
_CURSOR_MAX_LENGTH: Final = 3_000
_SIGNATURE_BYTES: Final = 16


class ListQuery(Query):
    """Which part of a list is wanted; lists with filters and sorting add theirs."""

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, description="how many entries")] = LIMIT_DEFAULT
    after: Annotated[
        str | None,
        Field(
            max_length=_CURSOR_MAX_LENGTH,
            description="the `next` of the page before; empty for the first page",
        ),
    ] = None

    @property
    def cursor(self) -> str | None:
        """The place in the list; raises Invalid for a cursor that was not made for this list."""
        return opened(self.after, _list_name()) if self.after else None


def listing(page: Page[T], item: Callable[[T], Any]) -> dict[str, Any]:
    """Return the fields of an answer that lists: `items`, and `next`, None at the end."""
    following = page.next_cursor
    return {
        "items": [item(each) for each in page.items],
        "next": signed(following, _list_name()) if following else None,
    }


def signed(cursor: str, of_list: str) -> str:
    """Return the cursor with a mark that binds it to the list."""
    return f"{cursor}.{_mark(cursor, of_list)}"


def opened(text: str, of_list: str) -> str:
    """Return the cursor behind the mark; raises Invalid where it is not of this list."""
    cursor, _dot, mark = text.rpartition(".")
    if not hmac.compare_digest(mark.encode("utf-8", "replace"), _mark(cursor, of_list).encode()):
        sentence = _("This page of the list cannot be found. Start again from the newest.")
        raise Invalid(sentence, field="after", code="cursor_invalid")
    return cursor


def _list_name() -> str:
    """Return what names the list: the route, and all that filters and sorts it."""
    kept = sorted((name, value) for name, value in request.args.items() if name not in {"limit", "after"})
    return f"{request.endpoint}{request.view_args}{kept}"


def _mark(cursor: str, of_list: str) -> str:
    secret = current_settings().secret_key.get_secret_value().encode()
    text = f"cursor\0{of_list}\0{cursor}".encode("utf-8", "replace")
    digest = hmac.new(secret, text, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
