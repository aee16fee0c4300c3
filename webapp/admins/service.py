"""What can be done with administrators; each function is one use case."""

from webapp.admins.accounts import add_admin, load_admin
from webapp.admins.roles import ensure_built_in_roles
from webapp.admins.signing import log_in, log_out

__all__ = ["add_admin", "ensure_built_in_roles", "load_admin", "log_in", "log_out"]
