"""What programs can do with administrators."""

from webapp.admins.api import administrators, signing
from webapp.admins.api.declaring import routes

__all__ = ["administrators", "routes", "signing"]
