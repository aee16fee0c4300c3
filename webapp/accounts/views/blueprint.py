"""The blueprint on which the pages of accounts stand."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("accounts", "webapp.accounts", template_folder="templates")
