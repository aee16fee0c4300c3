"""What a provider's refusals mean: status codes, error bodies, error events.

Zhipu's codes: https://docs.bigmodel.cn/cn/faq/api-code; OpenAI's: https://platform.openai.com/docs/guides/error-codes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from webapp.lib import clock
from webapp.lib.redaction import MASK, redact
from webapp.llm.errors import ProviderError, ProviderErrorKind

DETAIL_LENGTH: Final = 400
_FILTERED: Final = {"1301", "content_filter", "content_policy_violation", "data_inspection_failed"}
_NO_CREDIT: Final = {"1113", "1112", "insufficient_quota", "insufficient_balance", "billing_not_active"}
_BUSY: Final = {"1302", "1303", "1304", "1305", "1308", "rate_limit_exceeded", "rate_limit_error"}
_KEY: Final = {"1000", "1001", "1002", "1003", "1004", "invalid_api_key", "authentication_error"}
_ASKED_WRONG: Final = {"1210", "1211", "1214", "1261", "context_length_exceeded", "invalid_request_error"}
_BROKEN: Final = {"1230", "1234", "500", "502", "503", "server_error", "overloaded_error"}


class Filtered(Exception):
    """The provider's content filter refused the request."""


def of_status(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> Exception:
    """Return the error that a status stands for; the detail holds neither the key nor more than a few words."""
    code, words = _code_and_words(body)
    detail = _safe(f"status {status} {code} {words}", secret)
    if code in _FILTERED:
        return Filtered(detail)
    kind = _kind_of(status, code)
    retryable = (kind is ProviderErrorKind.RATE_LIMITED) or status in {408, 409, 500, 502, 503, 504, 529}
    wait = retry_after(headers) if retryable else None
    return ProviderError(kind, detail, retryable=retryable, retry_after_seconds=wait)


def in_stream(error: Any, secret: str = "") -> Exception:
    """Return the error that an error object within a stream stands for."""
    code, words = _parts(error)
    detail = _safe(f"error in the stream: {code} {words}", secret)
    if code in _FILTERED:
        return Filtered(detail)
    for codes, kind, retryable in (
        (_BUSY, ProviderErrorKind.RATE_LIMITED, True),
        (_NO_CREDIT, ProviderErrorKind.QUOTA, False),
        (_KEY, ProviderErrorKind.AUTH, False),
        (_ASKED_WRONG, ProviderErrorKind.REJECTED, False),
    ):
        if code in codes:
            return ProviderError(kind, detail, retryable=retryable)
    return ProviderError(ProviderErrorKind.PROTOCOL, detail, retryable=code in _BROKEN)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that a response names, as a number or as a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return max(0.0, (when - clock.utc_now()).total_seconds())


def _kind_of(status: int, code: str) -> ProviderErrorKind:
    if status == 402 or code in _NO_CREDIT:
        return ProviderErrorKind.QUOTA
    if status in {401, 403}:
        return ProviderErrorKind.AUTH
    if status == 429:
        return ProviderErrorKind.RATE_LIMITED
    if status in {408, 409} or status >= 500:
        return ProviderErrorKind.UNAVAILABLE
    if 400 <= status < 500:
        return ProviderErrorKind.REJECTED
    return ProviderErrorKind.PROTOCOL


def _code_and_words(body: bytes) -> tuple[str, str]:
    try:
        value = json.loads(body)
    except ValueError:
        return "", ""
    return _parts(value.get("error", value)) if isinstance(value, dict) else ("", "")


def _parts(error: Any) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "", str(error)
    code = error.get("code")
    code = error.get("type", "") if code is None else code
    return str(code), str(error.get("message", ""))


def _safe(words: str, secret: str) -> str:
    if secret:
        words = words.replace(secret, MASK)
    return redact(words)[:DETAIL_LENGTH]
