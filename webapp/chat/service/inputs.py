"""What people and programs send, checked."""

from __future__ import annotations

import re
from typing import Final

from flask_babel import gettext as _

from webapp.chat import rules
from webapp.errors import Invalid
from webapp.lib.text import without_lone_surrogates

_REQUEST_ID: Final = re.compile(rf"[!-~]{{8,{rules.CLIENT_REQUEST_ID_MAX_LENGTH}}}")


def checked_text(text: str) -> str:
    """Return a question as it is stored; raises Invalid."""
    text = without_lone_surrogates(text).replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise Invalid(_("Write a message first."), field="text")
    if len(text) > rules.MESSAGE_MAX_LENGTH:
        sentence = _(
            "This message has %(length)s characters; at most %(limit)s are possible. Shorten it and send it again.",
            length=len(text),
            limit=rules.MESSAGE_MAX_LENGTH,
        )
        raise Invalid(sentence, field="text", code="too_long")
    return text


def check_request_id(value: str | None) -> None:
    """Raise Invalid for what is no request id."""
    if value is not None and not _REQUEST_ID.fullmatch(value):
        sentence = _("The request id must have 8 to 64 characters.")
        raise Invalid(sentence, field="client_request_id")
