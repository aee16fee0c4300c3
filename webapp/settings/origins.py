"""A secret belongs to the service it was given for, and never travels to another one (requirement M5)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from flask_babel import gettext as _

from webapp.config import Settings
from webapp.settings.faults import SettingsInvalid
from webapp.settings.rules import SECRET_OF_ORIGIN
from webapp.settings.values import plain, service_of


def check(
    base: Settings,
    current: Settings,
    after: Settings,
    to_environment: AbstractSet[str],
    values: Mapping[str, Any],
) -> list[str]:
    """Return the secrets that have to go because their service changes.

    Raises SettingsInvalid where the environment's secret would go to another service than the environment's.
    """
    faults: dict[str, str] = {}
    blanked: list[str] = []
    for address, secret in SECRET_OF_ORIGIN.items():
        there, here, at_home = (service_of(getattr(each, address)) for each in (after, current, base))
        if secret in to_environment:
            if there != at_home and plain(getattr(base, secret)):
                faults[secret] = _(
                    "The environment's secret is meant for the environment's address. Type the one for this address."
                )
        elif there != here and not values.get(secret) and plain(getattr(current, secret)):
            blanked.append(secret)
    if faults:
        raise SettingsInvalid(faults)
    return blanked
