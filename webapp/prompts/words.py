"""How pages and mails say what came of a run."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l

from webapp.prompts.rules import Destination, Problem
from webapp.tasks.rules import RunState, TaskState

PROBLEMS: Final = {
    Problem.ACCOUNT: _l("The account could not be used then."),
    Problem.MODEL_GONE: _l(
        "The model is not offered any more, or could not be asked then. Choose another one."
    ),
    Problem.BUSY: _l("Other answers of yours were being written for too long, so its turn never came."),
    Problem.REFUSED: _l("The question could not be sent. Edit the schedule and look at its text."),
    Problem.EMPTY: _l("The model sent an empty answer."),
    Problem.LENGTH: _l("The answer was cut off at the longest length the model may write."),
    Problem.FILTERED: _l(
        "The provider's content filter ended the answer. Ask in other words, or use another model."
    ),
    Problem.STOPPED: _l("The answer was stopped before its end."),
    Problem.INTERRUPTED: _l("The answer broke off before its end. What came of it is in the chat."),
    Problem.CANCELLED: _l("The run was cancelled."),
    Problem.TIMED_OUT: _l("The answer took too long and was stopped."),
    Problem.LOST: _l("The server broke off during the run."),
    Problem.GONE: _l("The chat was deleted while the answer was being written."),
    Problem.INTERNAL: _l("Something broke on our side."),
    Problem.AUTH: _l("The model's provider does not accept our key. An administrator has to renew it."),
    Problem.QUOTA: _l(
        "The site has no credit left with the model's provider. An administrator has to pay for more."
    ),
    Problem.RATE_LIMITED: _l("The model's provider was too busy."),
    Problem.TIMEOUT: _l("The model did not answer in time."),
    Problem.STALLED: _l("The model stopped in the middle and did not go on."),
    Problem.UNAVAILABLE: _l("The model's provider could not be reached."),
    Problem.REJECTED: _l("The model's provider refused the question. It may be too long for this model."),
    Problem.PROTOCOL: _l("The model's provider sent something we cannot read."),
    Problem.TRUNCATED: _l("The model broke off before the end of its answer."),
}
# Where the engine of tasks ended a run, there is no problem noted: its state says enough.
_OF_STATES: Final = {
    RunState.TIMED_OUT: Problem.TIMED_OUT,
    RunState.LOST: Problem.LOST,
    RunState.CANCELLED: Problem.CANCELLED,
    RunState.FAILED: Problem.INTERNAL,
}
_SKIPPED: Final = _l("It was skipped: the run before was still at work, or nobody was there when it was due.")
DESTINATIONS: Final = {
    Destination.EACH: _l("A chat of its own each time"),
    Destination.ONE: _l("One chat that goes on"),
}
RUN_STATES: Final = {
    RunState.QUEUED: (_l("Waiting"), ""),
    RunState.RUNNING: (_l("Running"), "live"),
    RunState.SUCCEEDED: (_l("Answered"), "ok"),
    RunState.FAILED: (_l("Failed"), "bad"),
    RunState.TIMED_OUT: (_l("Failed"), "bad"),
    RunState.LOST: (_l("Failed"), "bad"),
    RunState.CANCELLED: (_l("Cancelled"), ""),
    RunState.SKIPPED: (_l("Skipped"), ""),
}
TASK_STATES: Final = {
    TaskState.ACTIVE: (_l("Active"), "ok"),
    TaskState.PAUSED: (_l("Paused"), ""),
    TaskState.DISABLED: (_l("Paused after failures"), "bad"),
    TaskState.FINISHED: (_l("Done"), ""),
}


def problem_words(state: RunState, problem: str) -> str:
    """Return why a run has no whole answer, nothing where it has one or is under way."""
    if problem in set(Problem):
        return str(PROBLEMS[Problem(problem)])
    if problem or state in _OF_STATES:
        return str(PROBLEMS[_OF_STATES.get(state, Problem.INTERNAL)])
    return str(_SKIPPED) if state is RunState.SKIPPED else ""
