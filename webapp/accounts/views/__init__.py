"""The pages of accounts."""

from webapp.accounts.views import profile, registering, resetting, signing
from webapp.accounts.views.blueprint import blueprint

__all__ = ["blueprint", "profile", "registering", "resetting", "signing"]
