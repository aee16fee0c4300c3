"""The pages of somebody's scheduled prompts. Each works without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.chat import service as chat
from webapp.config import current_settings
from webapp.errors import AppError, Conflict
from webapp.lib import clock
from webapp.llm import service as llm
from webapp.prompts import rules, service, words
from webapp.prompts.forms import PromptForm
from webapp.prompts.rules import Destination
from webapp.tasks.rules import RunState, TaskState
from webapp.tasks.service import Preview, schedule_in_words
from webapp.web.limits import limit

blueprint = Blueprint("schedules", __name__, url_prefix="/schedules", template_folder="templates")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the schedules, those first that come next."""
    mine = service.prompts_of(current_user)
    return render_template(
        "schedules/list.html",
        prompts=mine,
        last=service.last_runs([each.task_id for each in mine]),
        most=current_settings().schedules_per_user,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@limit("schedule_change")
def create() -> ResponseReturnValue:
    """Make a schedule, perhaps of a message."""
    form = PromptForm()
    back = url_for("schedules.index")
    if request.method == "GET":
        _take_message(form)
    form.offer(model=form.model.data or "")
    status, preview = 200, None
    if "preview" in request.form:
        preview = _preview_of(form)
    elif request.method == "POST":
        status = 422
        if form.validate():
            try:
                made = service.create(current_user, form.draft())
            except AppError as error:
                form.apply_error(error)
                status = error.status
            else:
                flash(_("“%(name)s” is scheduled.", name=made.name), "success")
                return redirect(url_for("schedules.show", prompt_id=made.public_id), 303)
    return render_template("schedules/new.html", form=form, preview=preview, back=back), status


@blueprint.get("/<prompt_id>")
def show(prompt_id: str) -> ResponseReturnValue:
    """Show a schedule: its next runs and its history."""
    found = service.get_prompt(current_user, prompt_id)
    page = service.history(found, after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "schedules/show.html",
        prompt=found,
        slots=service.slots_of(found),
        running=service.is_running(found),
        runs=[service.row_of(row) for row in page.items],
        page=page,
        history_days=current_settings().task_history_days,
    )


@blueprint.route("/<prompt_id>/edit", methods=["GET", "POST"])
@limit("schedule_change")
def edit(prompt_id: str) -> ResponseReturnValue:
    """Change a schedule."""
    found = service.get_prompt(current_user, prompt_id)
    form = PromptForm()
    if request.method == "GET":
        form.show(found)
    form.offer(found.model, found.task.timezone)
    status, preview = 200, None
    if "preview" in request.form:
        preview = _preview_of(form)
    elif request.method == "POST":
        status = 422
        if form.validate():
            try:
                service.change(current_user, prompt_id, form.draft())
            except AppError as error:
                form.apply_error(error)
                status = error.status
            else:
                return _done(prompt_id, _("Saved."))
    back = url_for("schedules.show", prompt_id=prompt_id)
    return render_template("schedules/edit.html", form=form, prompt=found, preview=preview, back=back), status


@blueprint.post("/preview")
@limit("schedule_preview")
def preview() -> ResponseReturnValue:
    """Show when a schedule that is being typed would come next; a piece of the form."""
    form = PromptForm()
    form.offer()
    return render_template("tasks/_preview.html", preview=_preview_of(form))


@blueprint.post("/<prompt_id>/run")
@limit("chat_send")
def run_now(prompt_id: str) -> ResponseReturnValue:
    """Ask once beside the schedule."""
    return _do(service.run_now, prompt_id, _("It is being asked now. The answer appears below."))


@blueprint.post("/<prompt_id>/pause")
def pause(prompt_id: str) -> ResponseReturnValue:
    """Take a prompt out of the schedule."""
    return _do(service.pause, prompt_id, _("Paused. It is not asked until you resume it."))


@blueprint.post("/<prompt_id>/resume")
def resume(prompt_id: str) -> ResponseReturnValue:
    """Put a prompt back into the schedule."""
    return _do(service.resume, prompt_id, _("Resumed. What it missed meanwhile is not made up for."))


@blueprint.post("/<prompt_id>/delete")
def delete(prompt_id: str) -> ResponseReturnValue:
    """Delete a schedule with its history."""
    name = service.remove(current_user, prompt_id)
    flash(_("“%(name)s” is deleted. Its chats are kept.", name=name), "success")
    return redirect(url_for("schedules.index"), 303)


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "destination_words": lambda value: words.DESTINATIONS[Destination(value)],
        "limits": rules,
        "model_label": llm.label_of,
        "problem_words": words.problem_words,
        "run_state": lambda value: words.RUN_STATES[RunState(value)],
        "schedule_words": schedule_in_words,
        "task_state": lambda value: words.TASK_STATES[TaskState(value)],
    }


def _take_message(form: PromptForm) -> None:
    """Fill in what a message of the person asked, and the model that answered it."""
    named = request.args.get("message")
    if named:
        message = chat.get_message(current_user, named, role="user")
        form.text.data = message.text
        form.model.data = chat.model_of_answer(message)


def _preview_of(form: PromptForm) -> Preview:
    try:
        schedule = service.checked_schedule(form.schedule())
    except AppError as refusal:
        return Preview(refusal=refusal.sentence)
    return Preview(schedule, schedule.upcoming(clock.utc_now(), rules.PREVIEWED))


def _do(act: Callable[[Any, str], object], prompt_id: str, told: str) -> ResponseReturnValue:
    try:
        act(current_user, prompt_id)
    except Conflict as refusal:
        return _done(prompt_id, refusal.sentence, "error")
    return _done(prompt_id, told)


def _done(prompt_id: str, told: str, kind: str = "success") -> ResponseReturnValue:
    flash(told, kind)
    return redirect(url_for("schedules.show", prompt_id=prompt_id), 303)
