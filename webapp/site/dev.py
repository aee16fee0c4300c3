"""The developer's pages; they do not exist in production."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webapp.web.guards import public

blueprint = Blueprint("dev", __name__, url_prefix="/dev", template_folder="templates")


@blueprint.get("/components")
@public
def components() -> ResponseReturnValue:
    """Show one of each component, with its states."""
    return render_template("site/components.html")
