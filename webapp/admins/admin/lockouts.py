"""The dashboard's page of accounts and addresses that must wait after too many tries in vain."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service
from webapp.admins.admin.actor import actor
from webapp.admins.permissions import Permission
from webapp.admins.words import lockout_words
from webapp.web.guards import needs

blueprint = Blueprint("lockouts", __name__, url_prefix="/lockouts", template_folder="../templates")


@blueprint.get("/")
@needs(Permission.USERS_READ)
def index() -> ResponseReturnValue:
    """List what must wait now."""
    return render_template(
        "admins/lockouts.html", lockouts=service.lockouts_in_force(actor()), words=lockout_words()
    )


@blueprint.post("/<lockout_id>/lift")
@needs(Permission.USERS_CHANGE)
def lift(lockout_id: str) -> ResponseReturnValue:
    """Let nobody wait for this one any longer; those of administrators need a permission more."""
    service.lift_lockout(lockout_id, actor=actor())
    flash(_("Trying again is possible at once."), "success")
    return redirect(url_for("dashboard.lockouts.index"), 303)
