"""The dashboard's pages of users."""

from webapp.accounts.admin import bulk, exporting, inviting, listing, person
from webapp.accounts.admin.blueprint import blueprint

__all__ = ["blueprint", "bulk", "exporting", "inviting", "listing", "person"]
