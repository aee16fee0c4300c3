"""Links from a group of settings to a page where they can be tried out; features to the right add theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, current_app

_EXTENSION = "settings_links"


@dataclass(frozen=True, slots=True)
class GroupLink:
    """A page about a group of settings: its words, its endpoint, and who may open it."""

    label: Any
    help: Any
    endpoint: str
    permission: str


def add_link(app: Flask, group: str, link: GroupLink) -> None:
    """Show a link on the page of a group."""
    app.extensions.setdefault(_EXTENSION, {}).setdefault(group, []).append(link)


def links_of(group: str | None, admin: Any) -> list[GroupLink]:
    """Return the links of a group that this administrator may follow."""
    known = cast("dict[str | None, list[GroupLink]]", current_app.extensions.get(_EXTENSION, {}))
    return [link for link in known.get(group, []) if admin.may(link.permission)]
