"""The dashboard's page of mailed codes."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.identity import code_register
from webapp.identity.code_register import CodeState
from webapp.identity.rules import CODE_TRIES, Purpose
from webapp.web.guards import current_admin, needs

blueprint = Blueprint("codes", __name__, url_prefix="/codes", template_folder="templates")


@blueprint.get("/")
@needs("codes.read")
def index() -> ResponseReturnValue:
    """List the codes of the last days, newest first."""
    state, address = request.args.get("state", ""), request.args.get("address", "").strip()
    page = code_register.list_codes(
        state=state, address=address, after=request.args.get("after"), before=request.args.get("before")
    )
    return render_template(
        "identity/codes.html",
        page=page,
        state=state,
        address=address,
        states=state_words(),
        purposes=purpose_words(),
        state_of=code_register.state_of,
        most_tries=CODE_TRIES,
        may_change=current_admin.may("users.change"),
    )


@blueprint.post("/<code_id>/cancel")
@needs("users.change")
def cancel(code_id: str) -> ResponseReturnValue:
    """Let a code open nothing any more."""
    code_register.cancel(code_id, actor=current_admin)
    flash(_("The code does not work any more."), "success")
    return redirect(url_for("dashboard.codes.index"), 303)


def state_words() -> dict[str, tuple[str, str]]:
    """Return how the states are called, and the kind of badge each has; the normal one needs none."""
    return {
        CodeState.OPEN.value: (_("Open"), "live"),
        CodeState.USED.value: (_("Used"), ""),
        CodeState.DEAD.value: (_("Dead"), "warn"),
        CodeState.EXPIRED.value: (_("Expired"), "plain"),
    }


def purpose_words() -> dict[str, str]:
    """Return what codes are for."""
    return {
        Purpose.REGISTER.value: _("Registering"),
        Purpose.RESET_PASSWORD.value: _("Setting a new password"),
        "change_email": _("Changing the address"),
    }
