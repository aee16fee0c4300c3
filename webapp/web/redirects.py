"""Where to go next, never off this origin."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from flask import request

_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x7e]*")


def own_referrer(default: str = "/") -> str:
    """Return the path of the page of ours from which a form was sent, else the default."""
    origin = urlsplit(request.referrer or "")
    path = origin.path + (f"?{origin.query}" if origin.query else "")
    is_own = (origin.scheme, origin.netloc) == (request.scheme, request.host)
    return path if is_own and _LOCAL_PATH.fullmatch(path) and "\\" not in path else default


def safe_next(default: str) -> str:
    """Return the `next` parameter if it is a path on this origin, else the default."""
    target = request.values.get("next", "")
    return target if _LOCAL_PATH.fullmatch(target) and "\\" not in target else default
