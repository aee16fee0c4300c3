"""The dashboard's navigation: what an administrator may open, in groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from flask import g, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.admins.permissions import Permission
from webapp.dashboard.counts import counts
from webapp.web.filters import format_number


@dataclass(frozen=True, slots=True)
class Item:
    """A page of the navigation."""

    label: LazyString
    icon: str
    endpoint: str
    permission: Permission
    also: tuple[str, ...] = ()  # other blueprints whose pages stand under this one
    count: Callable[[], int | None] | None = None

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the endpoints of its pages begin with."""
        return (self.endpoint.rpartition(".")[0] + ".", *(f"dashboard.{name}." for name in self.also))


GROUPS: Final[tuple[tuple[LazyString | None, tuple[Item, ...]], ...]] = (
    (
        None,
        (
            Item(_l("Overview"), "overview", "dashboard.overview.index", Permission.OVERVIEW_READ),
            Item(
                _l("Users"),
                "users",
                "dashboard.users.index",
                Permission.USERS_READ,
                count=lambda: counts().users,
            ),
            Item(_l("Usage and cost"), "chart", "dashboard.usage.index", Permission.USAGE_READ),
        ),
    ),
    (
        _l("Models"),
        (Item(_l("Providers"), "plug", "dashboard.providers.index", Permission.SETTINGS_READ),),
    ),
    (
        _l("Operation"),
        (
            Item(_l("Tasks"), "tasks", "dashboard.tasks.index", Permission.TASKS_READ),
            Item(_l("Scheduled prompts"), "calendar", "dashboard.schedules.index", Permission.TASKS_READ),
            Item(
                _l("Mail queue"),
                "mail",
                "dashboard.mail.index",
                Permission.MAIL_READ,
                count=lambda: counts().mail or None,
            ),
            Item(_l("Mailed codes"), "key", "dashboard.codes.index", Permission.CODES_READ),
            Item(_l("Locked sign-ins"), "lock", "dashboard.lockouts.index", Permission.USERS_READ),
            Item(_l("Announcements"), "info", "dashboard.notices.index", Permission.ANNOUNCEMENTS_READ),
            Item(_l("Audit log"), "audit", "dashboard.audit.index", Permission.AUDIT_READ),
            Item(_l("System check"), "activity", "dashboard.system.index", Permission.SYSTEM_READ),
        ),
    ),
    (
        _l("Administration"),
        (
            Item(
                _l("Administrators"),
                "shield",
                "dashboard.administrators.index",
                Permission.ADMINS_READ,
                also=("roles",),
            ),
            Item(_l("Settings"), "settings", "dashboard.settings.index", Permission.SETTINGS_READ),
        ),
    ),
)


def template_context() -> dict[str, Any]:
    """Return what the layout needs: the navigation of the administrator at hand."""
    admin = g.get("admin")
    home = url_for("dashboard.overview.index")
    return {"admin": admin, "admin_home": home, "admin_nav": [] if admin is None else _nav(admin)}


def _nav(admin: Any) -> list[dict[str, Any]]:
    groups = [
        (label, [_item(each) for each in items if admin.may(each.permission)]) for label, items in GROUPS
    ]
    return [{"label": label, "items": items} for label, items in groups if items]


def _item(item: Item) -> dict[str, Any]:
    return {
        "label": item.label,
        "icon": item.icon,
        "url": _address(item.endpoint, request.root_path),
        "current": (request.endpoint or "").startswith(item.prefixes),
        "count": _count(item),
    }


@lru_cache(maxsize=256)
def _address(endpoint: str, _root: str) -> str:
    """Return what is the same for all requests to a program mounted at the same place."""
    return url_for(endpoint)


def _count(item: Item) -> str | None:
    number = item.count() if item.count is not None and not g.get("degraded") else None
    return None if number is None else format_number(number)
