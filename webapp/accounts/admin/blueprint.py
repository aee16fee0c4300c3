"""The blueprint on which the dashboard's pages of users stand."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("users", "webapp.accounts", url_prefix="/users", template_folder="templates")
