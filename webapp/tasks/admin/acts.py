"""What can be done with tasks and runs, each by a button of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from webapp.errors import Conflict, Invalid
from webapp.tasks import service
from webapp.tasks.admin.blueprint import blueprint
from webapp.web.guards import current_admin, needs

BULK = {"pause": service.pause, "resume": service.resume}


@blueprint.post("/<task_id>/run")
@needs("tasks.change")
def run_now(task_id: str) -> ResponseReturnValue:
    """Start a run beside the schedule, and show it."""
    run = service.run_now(_actor(), task_id)
    return redirect(url_for("dashboard.tasks.run", run_id=run.public_id), 303)


@blueprint.post("/<task_id>/pause")
@needs("tasks.change")
def pause(task_id: str) -> ResponseReturnValue:
    """Take a task out of the schedule."""
    return _do(service.pause, task_id, _("Paused. It does not run until it is resumed."))


@blueprint.post("/<task_id>/resume")
@needs("tasks.change")
def resume(task_id: str) -> ResponseReturnValue:
    """Put a task back into the schedule."""
    return _do(service.resume, task_id, _("Resumed. What it missed meanwhile is not made up for."))


@blueprint.post("/<task_id>/default")
@needs("tasks.change")
def back_to_default(task_id: str) -> ResponseReturnValue:
    """Let a task that comes with the program be as it came."""
    return _do(service.back_to_default, task_id, _("The task is as it came with the program."))


@blueprint.post("/<task_id>/delete")
@needs("tasks.change")
def delete(task_id: str) -> ResponseReturnValue:
    """Delete a task with its history."""
    try:
        name = service.remove(_actor(), task_id)
    except Conflict as refusal:
        flash(refusal.sentence, "error")
        return redirect(url_for("dashboard.tasks.show", task_id=task_id), 303)
    flash(_("“%(name)s” is deleted, with its history.", name=name), "success")
    return redirect(url_for("dashboard.tasks.index"), 303)


@blueprint.post("/bulk")
@needs("tasks.change")
def bulk() -> ResponseReturnValue:
    """Pause or resume the tasks that were ticked, and tell of each what became of it."""
    act = BULK.get(request.form.get("act", ""))
    if act is None:
        raise Invalid(_("Choose one of what is offered."), field="act")
    results = service.bulk(act, _actor(), request.form.getlist("task"))
    refused = [each for each in results if each.refusal]
    done = len(results) - len(refused)
    told = ngettext("%(num)s task changed.", "%(num)s tasks changed.", done)
    if refused:
        return render_template("tasks/bulk.html", results=results, told=told)
    flash(told if results else _("No task was ticked."), "success" if results else "error")
    return redirect(url_for("dashboard.tasks.index"), 303)


@blueprint.post("/runs/<run_id>/cancel")
@needs("tasks.change")
def cancel_run(run_id: str) -> ResponseReturnValue:
    """Cancel a run that waits or runs."""
    try:
        service.cancel_run(_actor(), run_id)
    except Conflict as refusal:
        flash(refusal.sentence, "error")
    else:
        flash(_("The run is being cancelled."), "success")
    return redirect(url_for("dashboard.tasks.run", run_id=run_id), 303)


@blueprint.post("/runs/<run_id>/retry")
@needs("tasks.change")
def retry_run(run_id: str) -> ResponseReturnValue:
    """Run the task of a run that ended once more, and show the new run."""
    try:
        run_id = service.retry(_actor(), run_id).public_id
    except Conflict as refusal:
        flash(refusal.sentence, "error")
    return redirect(url_for("dashboard.tasks.run", run_id=run_id), 303)


def _actor() -> Any:
    return current_admin._get_current_object()  # noqa: SLF001


def _do(act: Callable[[Any, str], Any], task_id: str, told: str) -> ResponseReturnValue:
    try:
        act(_actor(), task_id)
    except Conflict as refusal:
        flash(refusal.sentence, "error")
    else:
        flash(told, "success")
    return redirect(url_for("dashboard.tasks.show", task_id=task_id), 303)
