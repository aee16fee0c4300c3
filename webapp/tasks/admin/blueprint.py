"""The blueprint on which the dashboard's pages of tasks stand, and what its templates need."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from flask_babel import gettext as _

from webapp.tasks import words
from webapp.tasks.admin import charts
from webapp.tasks.rules import Misfire, Notify, Overlap, RunState, TaskState, Trigger

blueprint = Blueprint("tasks", "webapp.tasks", url_prefix="/tasks", template_folder="templates")


@blueprint.context_processor
def _words() -> dict[str, Any]:
    admin = g.get("admin")  # nobody, on the page of a refusal
    return {
        "bars": charts.bars,
        "duration": words.duration_in_words,
        "function_label": words.function_label,
        "level_words": level_words,
        "may_change": admin is not None and admin.may("tasks.change"),
        "misfire_words": lambda value: words.MISFIRES[Misfire(value)],
        "notify_words": lambda value: words.NOTIFIES[Notify(value)],
        "overlap_words": lambda value: words.OVERLAPS[Overlap(value)],
        "run_state": run_state,
        "schedule_words": words.schedule_in_words,
        "task_label": words.task_label,
        "task_state": task_state,
        "took": words.took_in_words,
        "trigger_words": lambda value: words.TRIGGERS[Trigger(value)],
        "worker_words": words.worker_in_words,
    }


def run_state(value: str) -> tuple[str, str]:
    """Return how a run's state is called, and the kind of its mark."""
    state = RunState(value)
    return str(words.RUN_STATES[state]), words.RUN_KINDS.get(state, "")


def task_state(value: str) -> tuple[str, str]:
    """Return how a task's state is called, and the kind of its mark."""
    state = TaskState(value)
    return str(words.TASK_STATES[state]), words.TASK_KINDS.get(state, "")


def level_words(level: str) -> tuple[str, str]:
    """Return how a log line's level is called, and the class of its row."""
    if level in {"error", "critical"}:
        return _("error"), "e"
    if level == "warning":
        return _("warn"), "w"
    return level, ""
