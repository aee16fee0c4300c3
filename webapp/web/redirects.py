"""Where to go next, never off this origin."""

from __future__ import annotations

import re
from typing import Final

from flask import request

_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x7e]*")


def safe_next(default: str) -> str:
    """Return the `next` parameter if it is a path on this origin, else the default."""
    target = request.values.get("next", "")
    return target if _LOCAL_PATH.fullmatch(target) and "\\" not in target else default
