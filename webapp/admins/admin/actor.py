"""The administrator at hand, as services take one."""

from __future__ import annotations

from webapp.admins.models import Admin
from webapp.web.guards import current_admin


def actor() -> Admin:
    """Return the administrator who is signed in."""
    admin: Admin = current_admin._get_current_object()  # noqa: SLF001
    return admin
