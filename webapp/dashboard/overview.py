"""The first page of the dashboard."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.admins.permissions import Permission
from webapp.web.guards import needs

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
@needs(Permission.OVERVIEW_READ)
def index() -> ResponseReturnValue:
    """Show how the program stands."""
    return render_template("dashboard/overview.html")
