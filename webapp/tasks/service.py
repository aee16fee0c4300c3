"""What administrators do with tasks and runs: each use case one transaction, with its entry in the audit log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from flask_babel import gettext as _
from pydantic import ValidationError
from sqlalchemy import delete, exists, select

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.database import db, write_transaction
from webapp.errors import AppError, Conflict, Invalid, NotFound
from webapp.lib import clock
from webapp.tasks import built_in, claims, outcomes, rules
from webapp.tasks.context import RunContext
from webapp.tasks.engine import engine
from webapp.tasks.models import Task, TaskRun
from webapp.tasks.owned import (
    add_owned,
    change_owned,
    erase_owned,
    is_under_way,
    pause_owned,
    remove_owned,
    resume_owned,
    start_owned,
)
from webapp.tasks.plain import DAYS, How, PlainSchedule, Preview
from webapp.tasks.registry import Failed, Options, Skip, TaskFunction, task_registry
from webapp.tasks.rules import Notify, RunState, TaskState
from webapp.tasks.schedules import Schedule, ScheduleError
from webapp.tasks.words import DAY_LABELS, fault_in_words, schedule_in_words

# What features may use beside the functions below.
__all__ = [
    "DAYS",
    "DAY_LABELS",
    "Failed",
    "How",
    "PlainSchedule",
    "Preview",
    "RunContext",
    "Schedule",
    "Skip",
    "add_owned",
    "change_owned",
    "erase_owned",
    "is_under_way",
    "pause_owned",
    "remove_owned",
    "resume_owned",
    "schedule_in_words",
    "start_owned",
    "task_registry",
    "wake",
]
SYSTEM: Final = "system"  # owner of tasks that nobody's account stands for


class ArgumentsInvalid(Invalid):
    """Arguments do not fit the function's parameters; `faults` says why, by parameter."""

    default_code = "arguments_invalid"

    def __init__(self, faults: dict[str, str]) -> None:
        errors = {f"arguments.{name}": [told] for name, told in faults.items()}
        super().__init__(_("Some arguments do not fit. Look at the fields marked below."), errors=errors)
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task is to be: its name, arguments, schedule and options."""

    name: str
    arguments: dict[str, Any]
    schedule: Schedule
    options: Options
    notify: Notify = Notify.DIGEST
    notify_to: tuple[str, ...] = ()  # the addresses of Notify.OTHERS


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one task of many: a sentence where it was refused."""

    name: str
    refusal: str = ""


def get_task(public_id: str) -> Task:
    """Return a task; raises NotFound."""
    task = db.session.scalar(select(Task).where(Task.public_id == public_id))
    if task is None:
        raise NotFound(_("There is no such task. It may have been deleted."))
    return task


def get_run(public_id: str) -> tuple[TaskRun, Task]:
    """Return a run and its task; raises NotFound."""
    query = select(TaskRun, Task).join(Task, Task.id == TaskRun.task_id).where(TaskRun.public_id == public_id)
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound(_("There is no such run. Runs are removed after a while."))
    return row.TaskRun, row.Task


def version_of(task: Task) -> str:
    """Return a mark that changes whenever what an administrator can edit changes."""
    state = json.dumps([_values_of(task), task.state], sort_keys=True, default=str)
    return hashlib.sha256(state.encode()).hexdigest()[:16]


@write_transaction
def create(actor: Any, func_name: str, plan: Plan) -> Task:
    """Add a task of a registered function; raises Invalid naming the field at fault."""
    found = task_registry.find(func_name)
    if found is None or not found.creatable:
        raise Invalid(_("No such function is offered for tasks."), field="func_name")
    values = _checked(found, plan)
    task = Task(func_name=found.name, owner_kind=SYSTEM, state=TaskState.ACTIVE.value, **values)
    if plan.schedule.next_after(clock.utc_now()) is None:
        raise Invalid(_("This never comes. Choose another time."), field="how")
    db.session.add(task)
    db.session.flush()
    audit.record(Event.TASK_CREATED, actor=actor, target=task, after=_told(task))
    return task


@write_transaction
def change(actor: Any, public_id: str, plan: Plan, *, seen: str) -> Task:
    """Change a task; one that comes with the program keeps its name and no longer follows the registry.

    Raises Conflict when somebody changed it since `seen`, Invalid naming the field at fault.
    """
    task = _locked(public_id)
    _check_is_ours(task)
    if version_of(task) != seen:
        raise Conflict(_("Someone changed this task meanwhile. Look at the new version, then save again."))
    found = task_registry.find(task.func_name)
    if found is None:
        raise Conflict(
            _("Its function is no longer registered, so it cannot be edited. You can pause or delete it.")
        )
    before, values = _told(task), _checked(found, plan)
    same_schedule = task.schedule == plan.schedule
    for name, value in values.items():
        if name != "name" or not task.built_in:
            setattr(task, name, value)
    task.customised = task.customised or task.built_in
    if not same_schedule:
        _reschedule(task)
    _record_change(actor, task, before)
    return task


@write_transaction
def back_to_default(actor: Any, public_id: str) -> None:
    """Let a task that comes with the program follow the registry again."""
    task = _locked(public_id)
    found = task_registry.find(task.built_in_key or "")
    if found is None or found.schedule is None:
        raise Conflict(_("Only a task that comes with the program has a default."))
    before = _told(task)
    for name, value in built_in.values_of(found).items():
        setattr(task, name, value)
    task.customised, task.arguments = False, "{}"
    task.notify, task.notify_to = Notify.DIGEST.value, ""
    if task.state != TaskState.PAUSED.value:
        _activate(task)
    _record_change(actor, task, before)


@write_transaction
def pause(actor: Any, public_id: str) -> Task:
    """Take a task out of the schedule; harmless when it is."""
    task = _locked(public_id)
    if task.state == TaskState.FINISHED.value:
        raise Conflict(_("Its time has passed, so there is nothing to pause."))
    if task.state != TaskState.PAUSED.value or task.held != (task.owner_kind != SYSTEM):
        task.state, task.next_run_at = TaskState.PAUSED.value, None
        task.held = task.owner_kind != SYSTEM
        audit.record(Event.TASK_PAUSED, actor=actor, target=task)
    return task


@write_transaction
def resume(actor: Any, public_id: str) -> Task:
    """Put a task back into the schedule, from now on; what it missed meanwhile is not made up for."""
    task = _locked(public_id)
    if task.state == TaskState.ACTIVE.value:
        return task
    _activate(task)
    if task.next_run_at is None:
        raise Conflict(_("Its time has passed. Edit it and choose another time."))
    task.held = False
    audit.record(Event.TASK_RESUMED, actor=actor, target=task)
    return task


@write_transaction
def remove(actor: Any, public_id: str) -> str:
    """Delete a task with its history and return its name; raises Conflict for built-in ones and while it runs."""
    task = _locked(public_id)
    if task.built_in and task_registry.find(task.built_in_key or "") is not None:
        raise Conflict(_("This task comes with the program and cannot be deleted. You can pause it."))
    running = exists().where(TaskRun.task_id == task.id, TaskRun.state == RunState.RUNNING.value)
    if db.session.scalar(select(running)):
        raise Conflict(_("It is running. Cancel the run first, then delete the task."))
    name = task.name
    audit.record(Event.TASK_DELETED, actor=actor, target=task, before=_told(task))
    db.session.execute(delete(Task).where(Task.id == task.id))
    return name


def run_now(actor: Any, public_id: str) -> TaskRun:
    """Start a run beside the schedule; it begins at once where this process does the scheduled work."""
    run = _start(actor, public_id, {})
    engine().wake()
    return run


def retry(actor: Any, run_id: str) -> TaskRun:
    """Start the task of a run that has ended once more."""
    run, task = get_run(run_id)
    if not run.run_state.final:
        raise Conflict(_("This run has not ended yet."))
    again = _start(actor, task.public_id, {"retry_of": run.public_id})
    engine().wake()
    return again


def wake() -> None:
    """Do what is ready now instead of within a second, where this process does the scheduled work."""
    engine().wake()


def cancel_run(actor: Any, run_id: str) -> None:
    """Cancel a run that waits or runs; raises Conflict for one that has ended."""
    run, _task = get_run(run_id)
    if not outcomes.cancel(actor, run.id):
        raise Conflict(_("This run has ended already."))
    engine().wake()


def bulk(act: Callable[[Any, str], Task], actor: Any, public_ids: Iterable[str]) -> list[BulkResult]:
    """Pause or resume many tasks, each for itself; tell of each what became of it."""
    results: list[BulkResult] = []
    for public_id in list(dict.fromkeys(public_ids))[: rules.BULK_LIMIT]:
        try:
            results.append(BulkResult(act(actor, public_id).name))
        except AppError as refusal:
            task = db.session.scalar(select(Task.name).where(Task.public_id == public_id))
            results.append(BulkResult(task or public_id, refusal.sentence))
    return results


@write_transaction
def _start(actor: Any, public_id: str, more: dict[str, str]) -> TaskRun:
    task = _locked(public_id)
    _check_is_ours(task)
    run = claims.start_now(task)
    audit.record(Event.TASK_STARTED, actor=actor, target=task, after={"run": run.public_id, **more})
    return run


def _locked(public_id: str) -> Task:
    task = db.session.scalar(select(Task).where(Task.public_id == public_id).with_for_update())
    if task is None:
        raise NotFound(_("There is no such task. It may have been deleted."))
    return task


def _check_is_ours(task: Task) -> None:
    if task.owner_kind != SYSTEM:
        raise Conflict(_("This task belongs to a user. You can pause, resume and delete it."))


def _activate(task: Task) -> None:
    task.state, task.failures_in_row = TaskState.ACTIVE.value, 0
    task.next_run_at = task.schedule.next_after(clock.utc_now())


def _reschedule(task: Task) -> None:
    """Find the next slot of a new schedule; one that is over is taken up again."""
    slot = task.schedule.next_after(clock.utc_now())
    if slot is None:
        raise Invalid(_("This never comes. Choose another time."), field="how")
    if task.state == TaskState.FINISHED.value:
        task.state = TaskState.ACTIVE.value
    if task.state == TaskState.ACTIVE.value:
        task.next_run_at = slot


def _checked(found: TaskFunction, plan: Plan) -> dict[str, Any]:
    """Return the columns of a plan; raises Invalid for what does not fit."""
    name = " ".join(plan.name.split())
    if not 0 < len(name) <= rules.NAME_LENGTH:
        raise Invalid(_("Give it a name of up to %(most)s characters.", most=rules.NAME_LENGTH), field="name")
    try:
        arguments = found.checked(plan.arguments)
    except ValidationError as error:
        raise ArgumentsInvalid(
            {".".join(map(str, each["loc"])) or "arguments": fault_in_words(each) for each in error.errors()}
        ) from None
    try:
        schedule = plan.schedule.check()
    except ScheduleError as error:
        raise Invalid(str(error).partition(": ")[2], field=error.field) from None
    options = asdict(plan.options)
    del options["isolated"]
    return {
        "name": name,
        "arguments": json.dumps(arguments, ensure_ascii=False),
        "scheduled_at": schedule.at,
        "interval_seconds": schedule.interval_seconds,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "notify": plan.notify.value,
        "notify_to": _addresses(plan),
        **options,
    }


def _addresses(plan: Plan) -> str:
    """Return the addresses that are told of failures, as the column has them."""
    if plan.notify is not Notify.OTHERS:
        return ""
    addresses = list(dict.fromkeys(plan.notify_to))
    together = ",".join(addresses)
    if not addresses or not all(rules.ADDRESS.fullmatch(each) for each in addresses):
        raise Invalid(_("Give e-mail addresses, such as ops@example.com."), field="notify_to")
    if len(addresses) > rules.MAX_ADDRESSES or len(together) > rules.ADDRESSES_LENGTH:
        raise Invalid(_("Give at most %(most)s addresses.", most=rules.MAX_ADDRESSES), field="notify_to")
    return together


def _values_of(task: Task) -> dict[str, Any]:
    """Return the columns an administrator can edit."""
    columns = (
        "name arguments scheduled_at interval_seconds cron timezone misfire grace_seconds timeout_seconds "
    )
    columns += "retries backoff_seconds overlap disable_after idempotent notify notify_to"
    return {name: getattr(task, name) for name in columns.split()}


def _told(task: Task) -> dict[str, Any]:
    """Return what the audit log keeps of a task; of arguments only names and a mark, since they may be private."""
    mark = hashlib.sha256(task.arguments.encode()).hexdigest()[:8]
    return _values_of(task) | {"name": task.name, "arguments": f"{', '.join(sorted(task.given))} ({mark})"}


def _record_change(actor: Any, task: Task, old: dict[str, Any]) -> None:
    before, after = audit.changes(old, _told(task))
    audit.record(Event.TASK_CHANGED, actor=actor, target=task, before=before, after=after)
