"""The forms: choosing a function, a new task, changing one, and the preview of a schedule."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import AppError, Conflict, Invalid, NotFound
from webapp.lib import clock
from webapp.tasks import service
from webapp.tasks.admin.blueprint import blueprint
from webapp.tasks.forms import ScheduleForm, TaskForm, form_for, form_of
from webapp.tasks.models import Task
from webapp.tasks.plain import Preview
from webapp.tasks.registry import task_registry
from webapp.tasks.words import task_label
from webapp.web.guards import current_admin, needs

SHOWN = 5


@blueprint.get("/new")
@needs("tasks.change")
def choose() -> ResponseReturnValue:
    """Show the functions of which tasks can be made."""
    return render_template("tasks/choose.html", functions=[each for each in task_registry if each.creatable])


@blueprint.route("/new/<func_name>", methods=["GET", "POST"])
@needs("tasks.change")
def create(func_name: str) -> ResponseReturnValue:
    """Make a task of a function."""
    found = task_registry.find(func_name)
    if found is None or not found.creatable:
        raise NotFound(_("No such function is offered for tasks."))
    form = form_of(found)
    status, preview = 200, None
    if "preview" in request.form:
        preview = _preview_of(form)
    elif request.method == "POST":
        status = 422
        if form.validate():
            try:
                task = service.create(current_admin._get_current_object(), func_name, form.plan())  # noqa: SLF001
            except Invalid as error:
                form.apply_error(error)
            else:
                flash(_("“%(name)s” is scheduled.", name=task.name), "success")
                return redirect(url_for("dashboard.tasks.show", task_id=task.public_id), 303)
    return render_template("tasks/new.html", form=form, found=found, preview=preview), status


@blueprint.route("/<task_id>/edit", methods=["GET", "POST"])
@needs("tasks.change")
def edit(task_id: str) -> ResponseReturnValue:
    """Change a task."""
    task = service.get_task(task_id)
    found = task_registry.find(task.func_name)
    if found is None or task.owner_kind != service.SYSTEM:
        raise Conflict(_("This task cannot be edited. You can pause, resume and delete it."))
    form = form_for(task, found)
    status, preview = 200, None
    if "preview" in request.form:
        preview = _preview_of(form)
    elif request.method == "POST":
        status = 422
        if form.validate():
            try:
                return _save(form, task)
            except (Invalid, Conflict) as error:
                form.apply_error(error)
                status = error.status
    seen = request.form.get("seen") or service.version_of(task)
    page = render_template("tasks/edit.html", form=form, found=found, task=task, seen=seen, preview=preview)
    return page, status


@blueprint.post("/preview")
@needs("tasks.change")
def preview() -> ResponseReturnValue:
    """Show when a schedule that is being typed would come next; a piece of the form."""
    form = ScheduleForm()
    form.offer_zones("UTC")
    return render_template("tasks/_preview.html", preview=_preview_of(form))


def _save(form: TaskForm, task: Task) -> ResponseReturnValue:
    seen = request.form.get("seen", "")
    service.change(current_admin._get_current_object(), task.public_id, form.plan(), seen=seen)  # noqa: SLF001
    flash(_("“%(name)s” is saved.", name=task_label(task)), "success")
    return redirect(url_for("dashboard.tasks.show", task_id=task.public_id), 303)


def _preview_of(form: ScheduleForm) -> Preview:
    try:
        schedule = form.schedule()
    except AppError as refusal:
        return Preview(refusal=refusal.sentence)
    return Preview(schedule, schedule.upcoming(clock.utc_now(), SHOWN))
