"""Tasks: listed, made of a registered function, changed, run, paused, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from flask_babel import gettext as _
from pydantic import Field, JsonValue

from webapp.errors import Invalid
from webapp.tasks import listing as lists
from webapp.tasks import rules, service
from webapp.tasks.api.declaring import CHANGE, READ, RunAnswer, TaskAnswer, of_run, of_task, routes
from webapp.tasks.models import Task
from webapp.tasks.registry import Options, TaskFunction, task_registry
from webapp.tasks.rules import Misfire, Notify, Overlap
from webapp.tasks.schedules import Schedule, ScheduleError
from webapp.tasks.service import Plan
from webapp.web.api import Answer, Body, ListQuery, Moment, caller, listing

Bulk = Callable[[Any, str], Task]
BULK: Final[dict[str, Bulk]] = {"pause": service.pause, "resume": service.resume}
_Q_MAX_LENGTH: Final = 100
_ZONE_MAX_LENGTH: Final = 64
_ARGUMENTS_MAX: Final = 100


class TasksQuery(ListQuery):
    """Which tasks, and which part of the list."""

    q: Annotated[str, Field(max_length=_Q_MAX_LENGTH)] = ""
    state: Literal["", "active", "paused", "disabled", "finished"] = ""
    owner: Literal["", "built_in", "own", "users"] = ""


class TasksAnswer(Answer):
    """A page of tasks, by name."""

    items: list[TaskAnswer]
    next: str | None


class FunctionAnswer(Answer):
    """A function of which tasks can be made; `arguments` is a JSON schema."""

    name: str
    label: str
    description: str
    arguments: dict[str, Any]


class FunctionsAnswer(Answer):
    """What tasks can be made of."""

    items: list[FunctionAnswer]


class PlanBody(Body):
    """What a task is to be; exactly one of `at`, `interval_seconds` and `cron` says when. What is null is as the function has it."""

    name: Annotated[str, Field(min_length=1, max_length=rules.NAME_LENGTH)]
    arguments: Annotated[dict[str, JsonValue], Field(default_factory=dict, max_length=_ARGUMENTS_MAX)]
    at: Moment | None = None
    interval_seconds: (
        Annotated[int, Field(ge=rules.MIN_INTERVAL_SECONDS, le=rules.MAX_INTERVAL_SECONDS)] | None
    ) = None
    cron: Annotated[str, Field(min_length=1, max_length=rules.CRON_LENGTH)] | None = None
    timezone: Annotated[str, Field(min_length=1, max_length=_ZONE_MAX_LENGTH)] = "UTC"
    misfire: Literal["skip", "once", "all"] | None = None
    grace_seconds: Annotated[int, Field(ge=1, le=rules.MAX_GRACE_SECONDS)] | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=rules.MAX_TIMEOUT_SECONDS)] | None = None
    retries: Annotated[int, Field(ge=0, le=rules.MAX_RETRIES)] | None = None
    backoff_seconds: Annotated[int, Field(ge=1, le=rules.MAX_BACKOFF_SECONDS)] | None = None
    overlap: Literal["skip", "queue", "allow"] | None = None
    disable_after: Annotated[int, Field(ge=0, le=rules.MAX_DISABLE_AFTER)] | None = None
    idempotent: bool | None = None
    notify: Annotated[
        Literal["", "nobody"], Field(description="who is told of failures: empty for those the settings name")
    ] = ""


class CreateBody(PlanBody):
    """A new task of a registered function."""

    function: Annotated[str, Field(min_length=1, max_length=rules.FUNCTION_LENGTH)]


class ChangeBody(PlanBody):
    """What a task is to be from now on, and the mark of what you saw of it."""

    seen: Annotated[str, Field(min_length=1, max_length=64)]


class BulkBody(Body):
    """What is done with many tasks."""

    act: Literal["pause", "resume"]
    tasks: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=64)], ...],
        Field(min_length=1, max_length=rules.BULK_LIMIT),
    ]


class BulkResultAnswer(Answer):
    """What became of one task; `message` says why not."""

    name: str
    done: bool
    message: str


class BulkAnswer(Answer):
    """What became of each."""

    results: list[BulkResultAnswer]


@routes.get("/admin/tasks", READ, query=TasksQuery, answer=TasksAnswer)
def tasks(query: TasksQuery) -> dict[str, Any]:
    """List tasks."""
    chosen = lists.TaskFilter(q=" ".join(query.q.split()), state=query.state, owner=query.owner)
    return listing(lists.list_tasks(chosen, after=query.cursor, limit=query.limit), _told)


@routes.get("/admin/tasks/functions", READ, answer=FunctionsAnswer)
def functions() -> FunctionsAnswer:
    """List the functions of which tasks can be made."""
    offered = [each for each in task_registry if each.creatable]
    return FunctionsAnswer(items=[_of_function(each) for each in offered])


@routes.post(
    "/admin/tasks",
    CHANGE,
    body=CreateBody,
    answer=TaskAnswer,
    idempotent=True,
    fields={"func_name": "function", "how": "at"},
)
def create(body: CreateBody) -> TaskAnswer:
    """Make a task of a registered function."""
    found = task_registry.find(body.function)
    if found is None or not found.creatable:
        raise Invalid(_("No such function is offered for tasks."), field="function")
    return _told(service.create(caller().person, body.function, _plan(body, found.options)))


@routes.get("/admin/tasks/<task_id>", READ, answer=TaskAnswer)
def task(task_id: str) -> TaskAnswer:
    """Read a task."""
    return _told(service.get_task(task_id))


@routes.put(
    "/admin/tasks/<task_id>",
    CHANGE,
    body=ChangeBody,
    answer=TaskAnswer,
    refusals=(409,),
    fields={"how": "at"},
)
def change(task_id: str, body: ChangeBody) -> TaskAnswer:
    """Change a task."""
    found = service.get_task(task_id)
    plan = _plan(body, found.options)
    return _told(service.change(caller().person, task_id, plan, seen=body.seen))


@routes.delete("/admin/tasks/<task_id>", CHANGE, refusals=(409,))
def delete(task_id: str) -> None:
    """Delete a task with its history; those that come with the program stay."""
    service.remove(caller().person, task_id)


@routes.post("/admin/tasks/<task_id>/run", CHANGE, answer=RunAnswer, idempotent=True, refusals=(409,))
def run_now(task_id: str) -> RunAnswer:
    """Start a run beside the schedule."""
    run = service.run_now(caller().person, task_id)
    return of_run(run, service.get_task(task_id))


@routes.post("/admin/tasks/<task_id>/pause", CHANGE, answer=TaskAnswer, refusals=(409,))
def pause(task_id: str) -> TaskAnswer:
    """Take a task out of the schedule."""
    return _told(service.pause(caller().person, task_id))


@routes.post("/admin/tasks/<task_id>/resume", CHANGE, answer=TaskAnswer, refusals=(409,))
def resume(task_id: str) -> TaskAnswer:
    """Put a task back into the schedule; what it missed meanwhile is not made up for."""
    return _told(service.resume(caller().person, task_id))


@routes.post("/admin/tasks/<task_id>/default", CHANGE, answer=TaskAnswer, refusals=(409,))
def back_to_default(task_id: str) -> TaskAnswer:
    """Let a task that comes with the program be as it came."""
    service.back_to_default(caller().person, task_id)
    return _told(service.get_task(task_id))


@routes.post("/admin/tasks/bulk", CHANGE, body=BulkBody, answer=BulkAnswer)
def bulk(body: BulkBody) -> BulkAnswer:
    """Pause or resume many tasks, each for itself."""
    results = service.bulk(BULK[body.act], caller().person, body.tasks)
    told = [
        BulkResultAnswer(name=each.name, done=not each.refusal, message=str(each.refusal)) for each in results
    ]
    return BulkAnswer(results=told)


def _told(task: Task) -> TaskAnswer:
    return of_task(task, service.version_of(task))


def _of_function(found: TaskFunction) -> FunctionAnswer:
    return FunctionAnswer(
        name=found.name,
        label=str(found.label),
        description=str(found.description or ""),
        arguments=found.parameters.model_json_schema(),
    )


def _plan(body: PlanBody, usual: Options) -> Plan:
    """Return the plan; raises Invalid for a schedule that cannot be. `usual` stands for what is left out."""

    def chosen(name: str) -> Any:
        given = getattr(body, name)
        return getattr(usual, name) if given is None else given

    return Plan(
        name=body.name,
        arguments=dict(body.arguments),
        schedule=_schedule(body),
        options=Options(
            misfire=Misfire(chosen("misfire")),
            grace_seconds=chosen("grace_seconds"),
            timeout_seconds=chosen("timeout_seconds"),
            retries=chosen("retries"),
            backoff_seconds=chosen("backoff_seconds"),
            overlap=Overlap(chosen("overlap")),
            disable_after=chosen("disable_after"),
            idempotent=chosen("idempotent"),
            isolated=usual.isolated,
        ),
        notify=Notify(body.notify),
    )


def _schedule(body: PlanBody) -> Schedule:
    given = [name for name in ("at", "interval_seconds", "cron") if getattr(body, name) is not None]
    if len(given) != 1:
        sentence = _("Say when by one of at, interval_seconds and cron.")
        raise Invalid(sentence, field=given[1] if given else "at", code="schedule_invalid")
    cron = " ".join(body.cron.split()) if body.cron else None
    try:
        return Schedule(body.at, body.interval_seconds, cron, body.timezone).check()
    except ScheduleError as error:
        sentences = {
            "cron": _("This is no cron expression: minute, hour, day, month, day of the week."),
            "timezone": _("There is no such time zone."),
        }
        raise Invalid(sentences.get(error.field, str(error)), field=error.field) from None
