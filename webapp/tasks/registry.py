"""The registry of functions that tasks may run, by name.

    @task_registry.register(name="cleanup_codes", interval_minutes=5)
    async def cleanup_codes(): ...

A function takes keyword arguments with types, which become a checked form, and may take `run`, by which it tells its
progress. What it returns is the result of the run; a failure is raised. It runs with an application context of its own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from webapp.tasks.rules import Misfire, Overlap
from webapp.tasks.schedules import Schedule

F = TypeVar("F", bound=Callable[..., Any])

RUN: Final = "run"  # the parameter by which a function gets its RunContext
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")


class Skip(Exception):
    """Raised by a function that found nothing to do: the run is skipped, with the reason."""


class Failed(Exception):
    """Raised by a function whose work did not succeed, with a reason for people; needs no trace."""


@dataclass(frozen=True, slots=True)
class Options:
    """How runs of a task are treated.

    `misfire`: slots missed by more than `grace_seconds`. `retries`: with `backoff_seconds`, doubled each time, with
    jitter. `disable_after`: failures in a row, 0 for never. `idempotent`: a lost run is run again. `isolated`: in a
    process of its own, which can be ended when it hangs; off only for short work that the database bounds.
    """

    misfire: Misfire = Misfire.ONCE
    grace_seconds: int = 60
    timeout_seconds: int = 3600
    retries: int = 0
    backoff_seconds: int = 30
    overlap: Overlap = Overlap.SKIP
    disable_after: int = 0
    idempotent: bool = False
    isolated: bool = True

    def __post_init__(self) -> None:
        """Take policies by their names as well; raises ValueError for one that there is not."""
        object.__setattr__(self, "misfire", Misfire(self.misfire))
        object.__setattr__(self, "overlap", Overlap(self.overlap))


@dataclass(frozen=True, slots=True)
class TaskFunction:
    """A registered function: `schedule` is that of its built-in task, None where somebody has to make one."""

    name: str
    function: Callable[..., Any]
    label: Any
    description: Any
    parameters: type[BaseModel]
    takes_run: bool
    schedule: Schedule | None
    options: Options
    creatable: bool  # may administrators make tasks of it
    when_disabled: Callable[[Any], None] | None = None
    waits: bool = False  # spends its time waiting, and takes no place that others need

    def checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments as JSON-able values; raises pydantic's ValidationError that names the wrong ones."""
        return self.parameters.model_validate(arguments).model_dump(mode="json")

    def bound(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments as the function takes them."""
        model = self.parameters.model_validate(arguments)
        return {name: getattr(model, name) for name in type(model).model_fields}


@dataclass(slots=True)
class TaskRegistry:
    """Functions by name."""

    _functions: dict[str, TaskFunction] = field(default_factory=dict)

    def register(
        self,
        *,
        name: str,
        interval_seconds: int | None = None,
        interval_minutes: int | None = None,
        interval_hours: int | None = None,
        cron: str | None = None,
        timezone: str = "UTC",
        label: Any = None,
        description: Any = None,
        creatable: bool = True,
        when_disabled: Callable[[Any], None] | None = None,
        waits: bool = False,
        **options: Any,
    ) -> Callable[[F], F]:
        """Register a function; with an interval or cron expression it has a built-in task. See `Options`.

        `label` and `description` may be lazy texts; by default they follow from the name and the docstring.
        `when_disabled` is called with a task that failed too often, in the transaction that disables it. A function that
        `waits` does next to nothing but that, in the engine's own process: its runs have places of their own.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for a task: {name!r}")
        seconds = _seconds(interval_seconds, interval_minutes, interval_hours)
        schedule = None
        if seconds is not None or cron is not None:
            schedule = Schedule(interval_seconds=seconds, cron=cron, timezone=timezone).check()

        def add(function: F) -> F:
            if not options.get("isolated", True) and inspect.iscoroutinefunction(function):
                # The server's workers have one event loop for a whole process, and it is not asyncio's.
                raise TypeError(f"{name}: an async function runs in a process of its own")
            known = self._functions.get(name)
            if known is not None and known.function is not function:
                raise ValueError(f"two functions are registered as {name}")
            self._functions[name] = TaskFunction(
                name=name,
                function=function,
                label=label or name.replace("_", " ").capitalize(),
                description=description or inspect.cleandoc(function.__doc__ or "").partition("\n")[0],
                parameters=_parameters(name, function),
                takes_run=RUN in inspect.signature(function).parameters,
                schedule=schedule,
                options=Options(**options),
                creatable=creatable,
                when_disabled=when_disabled,
                waits=waits,
            )
            return function

        return add

    def find(self, name: str) -> TaskFunction | None:
        """Return a function, None where none is registered by that name."""
        return self._functions.get(name)

    def in_process(self) -> frozenset[str]:
        """Return the names of the functions that run in a thread of the engine's own process."""
        return frozenset(each.name for each in self if not each.options.isolated)

    def waiting(self) -> frozenset[str]:
        """Return the names of the functions whose runs only wait."""
        return frozenset(each.name for each in self if each.waits)

    def remove(self, name: str) -> None:
        """Take a function out; for tests."""
        self._functions.pop(name, None)

    def __iter__(self) -> Iterator[TaskFunction]:
        """Yield the functions by name."""
        return iter([self._functions[name] for name in sorted(self._functions)])


task_registry: Final = TaskRegistry()


def faults(error: ValidationError) -> dict[str, str]:
    """Return what is wrong with arguments, by parameter."""
    return {
        ".".join(str(part) for part in each["loc"]) or "arguments": each["msg"] for each in error.errors()
    }


def _seconds(seconds: int | None, minutes: int | None, hours: int | None) -> int | None:
    if seconds is minutes is hours is None:
        return None
    return (seconds or 0) + 60 * (minutes or 0) + 3600 * (hours or 0)


def _parameters(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """Return a model of the function's parameters; raises TypeError for one that no form could fill in."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for each in inspect.signature(function).parameters.values():
        if each.name == RUN:
            continue
        if each.kind not in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY} or each.name not in hints:
            raise TypeError(f"{name}: the parameter {each.name} needs a name and a type")
        default = ... if each.default is each.empty else each.default
        fields[each.name] = (hints[each.name], default)
    return create_model(f"Arguments of {name}", __config__=ConfigDict(extra="forbid"), **fields)
