"""Usage and cost: by day, by model, and by the people who use most."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone

from webapp.accounts import figures as people
from webapp.admins.permissions import Permission
from webapp.dashboard import plots
from webapp.dashboard.periods import MONTH, NAMES, Period, period_of
from webapp.dashboard.snapshots import Snapshot, snapshot
from webapp.llm import figures
from webapp.llm import service as llm
from webapp.llm.figures import Sum
from webapp.web.guards import current_admin, needs

blueprint = Blueprint("usage", __name__, url_prefix="/usage")


@blueprint.get("/")
@needs(Permission.USAGE_READ)
def index() -> ResponseReturnValue:
    """Show what was used, and what it cost."""
    period = period_of(request.args.get("period", MONTH))
    taken = snapshot(period)
    return render_template(
        "dashboard/usage.html",
        periods=[
            (label, url_for(".index", period=name), name == period.name) for name, label in NAMES.items()
        ],
        zone=str(get_timezone()),
        tokens=plots.tokens(taken),
        pieces=_by_piece(taken),
        models=[(llm.label_of(name), took) for name, took in figures.by_model(period.start, period.now)],
        people=_people(period),
        may_see_people=current_admin.may(Permission.USERS_READ),
    )


def _by_piece(taken: Snapshot) -> list[tuple[str, Sum]]:
    """Return what each hour or day took, the newest first, without those that took nothing."""
    rows = []
    for start, found in zip(taken.period.starts, taken.period.spread(taken.answers), strict=True):
        took = Sum(
            sum(each.answers for _ending, each in found),
            sum(each.prompt_tokens for _ending, each in found),
            sum(each.completion_tokens for _ending, each in found),
            sum(each.cost_micros for _ending, each in found),
            sum(each.priced for _ending, each in found),
        )
        if took.answers:
            rows.append((taken.period.label(start), took))
    return rows[::-1]


def _people(period: Period) -> list[tuple[object, Sum]]:
    found = figures.by_user(period.start, period.now)
    users = people.names_of([user_id for user_id, _took in found if user_id is not None])
    return [(users.get(user_id or 0), took) for user_id, took in found]
