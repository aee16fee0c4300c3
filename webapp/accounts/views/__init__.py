"""The pages of accounts."""

from webapp.accounts.views import profile, signing
from webapp.accounts.views.blueprint import blueprint

__all__ = ["blueprint", "profile", "signing"]
