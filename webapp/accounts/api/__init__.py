"""What programs can do with accounts."""

from webapp.accounts.api import data, profile, registering, security, signing, tokens
from webapp.accounts.api.declaring import routes

__all__ = ["data", "profile", "registering", "routes", "security", "signing", "tokens"]
