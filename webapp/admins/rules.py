"""Limits and states of administrators and roles."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Final

ROLE_NAME_MAX_LENGTH: Final = 40
ROLE_DESCRIPTION_MAX_LENGTH: Final = 200
SETUP_LINK_LIFE: Final = dt.timedelta(hours=24)
ADMINS_SHOWN: Final = 500  # an organisation has dozens of administrators, not pages of them


class AdminState(StrEnum):
    """Whether an administrator may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"
