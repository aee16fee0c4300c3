"""What programs can do with administrators."""

from webapp.admins.api import administrators, others, roles, signing
from webapp.admins.api.declaring import routes

__all__ = ["administrators", "others", "roles", "routes", "signing"]
