"""What can be done with scheduled prompts; each function is one use case."""

from webapp.prompts.service.changing import Draft, change, create, pause, remove, resume, run_now
from webapp.prompts.service.checking import checked_schedule
from webapp.prompts.service.reading import (
    AdminRow,
    HistoryRow,
    admin_list,
    admin_rows,
    get_prompt,
    history,
    is_running,
    last_runs,
    prompts_of,
    row_of,
    slots_of,
)
from webapp.prompts.service.running import Work, begin, conclude, conversation_for, note_answer

__all__ = [
    "AdminRow",
    "Draft",
    "HistoryRow",
    "Work",
    "admin_list",
    "admin_rows",
    "begin",
    "change",
    "checked_schedule",
    "conclude",
    "conversation_for",
    "create",
    "get_prompt",
    "history",
    "is_running",
    "last_runs",
    "note_answer",
    "pause",
    "prompts_of",
    "remove",
    "resume",
    "row_of",
    "run_now",
    "slots_of",
]
