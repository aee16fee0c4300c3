"""What a browser says of itself, in two or three words (by ua-parser and its list of patterns)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from ua_parser import parse

Kind = Literal["phone", "laptop", "auto"]

_PHONES: Final = frozenset({"iOS", "Android", "HarmonyOS", "Windows Phone", "KaiOS"})
_LAPTOPS: Final = frozenset({"Windows", "Mac OS X", "Chrome OS"})
_SYSTEMS: Final = {"Mac OS X": "macOS", "Other": ""}
_BROWSERS: Final = {
    "Mobile Safari": "Safari",
    "Chrome Mobile": "Chrome",
    "Firefox Mobile": "Firefox",
    "Other": "",
}
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class Device:
    """A browser and the system it runs on, each empty where it is not known; `kind` names an icon."""

    browser: str
    system: str
    kind: Kind


@lru_cache(maxsize=512)
def device(user_agent: str) -> Device:
    """Return what the browser says it is; anybody can claim anything."""
    parsed = parse(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    model = parsed.device.family if parsed.device else ""
    if model in {"iPhone", "iPad"}:
        system = model if system == "iOS" else system
    is_phone = system in _PHONES or model in {"iPhone", "iPad"}
    kind: Kind = "phone" if is_phone else "laptop" if system in _LAPTOPS else "auto"
    return Device(_BROWSERS.get(browser, browser)[:_LONGEST], _SYSTEMS.get(system, system)[:_LONGEST], kind)


def names(user_agent: str) -> tuple[str, str]:
    """Return browser and system, either of which may be empty."""
    found = device(user_agent)
    return found.browser, found.system
