"""What programs can do with accounts."""

from webapp.accounts.api import signing
from webapp.accounts.api.declaring import routes

__all__ = ["routes", "signing"]
