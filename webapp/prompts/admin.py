"""The dashboard's page of everybody's scheduled prompts: whose, which model, when, what came of it, and never what it asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Conflict
from webapp.llm import service as llm
from webapp.prompts import service, words
from webapp.tasks import service as tasks
from webapp.tasks.rules import RunState, TaskState
from webapp.web.guards import current_admin, needs

blueprint = Blueprint("schedules", "webapp.prompts", url_prefix="/schedules", template_folder="templates")


@blueprint.get("/")
@needs("tasks.read")
def index() -> ResponseReturnValue:
    """List everybody's schedules, the newest first."""
    page = service.admin_list(after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "schedules/admin.html",
        page=page,
        rows=service.admin_rows(page),
        may_change=current_admin.may("tasks.change"),
        may_see_users=current_admin.may("users.read"),
        model_label=llm.label_of,
        problem_words=words.problem_words,
        run_state=lambda value: words.RUN_STATES[RunState(value)],
        schedule_words=tasks.schedule_in_words,
        task_state=lambda value: words.TASK_STATES[TaskState(value)],
    )


@blueprint.post("/<task_id>/pause")
@needs("tasks.change")
def pause(task_id: str) -> ResponseReturnValue:
    """Pause somebody's schedule, so that they cannot resume it."""
    return _do(tasks.pause, task_id, _("Paused. Its owner cannot resume it."))


@blueprint.post("/<task_id>/resume")
@needs("tasks.change")
def resume(task_id: str) -> ResponseReturnValue:
    """Put somebody's schedule back."""
    return _do(tasks.resume, task_id, _("Resumed. What it missed meanwhile is not made up for."))


def _do(act: Callable[[Any, str], object], task_id: str, told: str) -> ResponseReturnValue:
    try:
        act(current_admin._get_current_object(), task_id)  # noqa: SLF001
    except Conflict as refusal:
        flash(refusal.sentence, "error")
    else:
        flash(told, "success")
    return redirect(url_for("dashboard.schedules.index"), 303)
