"""The dashboard's pages of users."""

from webapp.accounts.admin import listing
from webapp.accounts.admin.blueprint import blueprint

__all__ = ["blueprint", "listing"]
