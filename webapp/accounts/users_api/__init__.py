"""What administrators' programs can do with users."""

from webapp.accounts.users_api import files, many, users
from webapp.accounts.users_api.declaring import routes

__all__ = ["files", "many", "routes", "users"]
