"""The system check on a page of its own, for those who look after the machine."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from webapp.admins.permissions import Permission
from webapp.lib import checks
from webapp.web.guards import needs

blueprint = Blueprint("system", __name__, url_prefix="/system")


@blueprint.get("/")
@needs(Permission.SYSTEM_READ)
def index() -> ResponseReturnValue:
    """Look at everything around the program."""
    return render_template("dashboard/system.html", checks=checks.run(current_app))
