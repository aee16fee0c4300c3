"""The pages of accounts."""

from webapp.accounts.views import data, profile, registering, resetting, security, signing, tokens
from webapp.accounts.views.blueprint import blueprint

__all__ = ["blueprint", "data", "profile", "registering", "resetting", "security", "signing", "tokens"]
