"""The first page of the dashboard: what is wrong, how it goes, and whether everything around the program is well."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone

from webapp.admins.permissions import Permission
from webapp.dashboard import attention, key_figures, plots
from webapp.dashboard.periods import NAMES, period_of
from webapp.dashboard.snapshots import snapshot
from webapp.lib import checks, clock
from webapp.web.guards import current_admin, needs

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
@needs(Permission.OVERVIEW_READ)
def index() -> ResponseReturnValue:
    """Show how the program stands."""
    period = period_of(request.args.get("period", ""))
    taken = snapshot(period, anew="anew" in request.args)
    found = checks.run(current_app)
    wrong = attention.items(current_admin, found)
    return render_template(
        "dashboard/overview.html",
        periods=[
            (label, url_for(".index", period=name), name == period.name) for name, label in NAMES.items()
        ],
        period=period.name,
        age_seconds=round((clock.utc_now() - taken.taken_at).total_seconds()),
        zone=str(get_timezone()),
        attention=wrong,
        last_problem=None if wrong else attention.last_problem(),
        figures=key_figures.key_figures(taken),
        first_word=plots.first_word(taken),
        endings=plots.by_ending(taken),
        people=plots.people(taken),
        tokens=plots.tokens(taken),
        writing=plots.writing(taken),
        checks=found if current_admin.may(Permission.SYSTEM_READ) else [],
    )
