"""Secrets taken out of texts that are logged or shown."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "[redacted]"

_SECRETS: Final = re.compile(
    r"(?i:\bbearer\s+)[^\s\"',}]+"
    r"|\bsk-[A-Za-z0-9_-]{8,}"
    r"|\bat_[A-Za-z0-9_-]{16,}"
    r"|\b[0-9a-f]{32}\.[A-Za-z0-9]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
    r"|(?<=://)[^\s/:@\"']+:[^\s/@\"']+(?=@)"
)


def redact(text: str) -> str:
    """Return the text without API keys, tokens and the passwords of URLs."""
    return _SECRETS.sub(MASK, text)
