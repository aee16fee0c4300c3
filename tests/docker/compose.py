"""The compose file as the tests read it: merged, with the variables filled in."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from webapp.config import ROOT

FOLDER: Final = ROOT / "docker"
_VARIABLE: Final = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


class Missing(Exception):
    """A variable that has no default is not set."""


def raw() -> dict[str, Any]:
    """Return the file with its anchors merged."""
    return dict(yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8")))


def services() -> dict[str, dict[str, Any]]:
    """Return the services by name."""
    return dict(raw()["services"])


def fill(value: Any, variables: dict[str, str]) -> Any:
    """Put the variables in, as Compose does: defaults where they are empty; raises Missing."""
    if isinstance(value, dict):
        return {key: fill(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, variables) for each in value]
    if not isinstance(value, str):
        return value

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, kind, rest = match[1], match[2], match[3]
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise Missing(name)
        assert kind == "-", f"{name} may be unset and has no default"
        return str(rest)

    return _VARIABLE.sub(one, value)
