"""Which passwords users may have: identity's policy, with the words that are near at hand for an account."""

from __future__ import annotations

from webapp.config import current_settings
from webapp.identity import service as identity


def check_password(password: str, address: str, *names: str, field: str = "password") -> None:
    """Raise Invalid, beside the field, for a password that is short, common, or close to the address or a name."""
    settings = current_settings()
    near = (settings.site_name, address, address.partition("@")[0], *names)
    identity.checked_password(password, min_length=settings.password_min_length, context=near, field=field)
