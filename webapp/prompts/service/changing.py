"""What people do with their scheduled prompts: each use case one transaction, with its entry in the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select

from webapp.accounts.models import User
from webapp.config import current_settings
from webapp.database import db, write_transaction
from webapp.errors import Conflict
from webapp.lib import ids
from webapp.prompts import rules
from webapp.prompts.models import ScheduledPrompt
from webapp.prompts.rules import Destination
from webapp.prompts.service import checking
from webapp.prompts.service.reading import get_prompt
from webapp.tasks import service as tasks
from webapp.tasks.models import Task
from webapp.tasks.service import Schedule


@dataclass(frozen=True, slots=True)
class Draft:
    """What a scheduled prompt is to be; without a name it is called by what it asks."""

    text: str
    model: str
    schedule: Schedule
    name: str = ""
    destination: Destination = Destination.EACH
    mail: bool = False

    def values(self) -> dict[str, object]:
        """Return the columns; raises Invalid naming the field at fault."""
        text = checking.checked_text(self.text)
        return {
            "text": text,
            "name": checking.checked_name(self.name, text),
            "model": checking.checked_model(self.model),
            "destination": self.destination.value,
            "mail": self.mail,
        }


def create(user: User, draft: Draft) -> ScheduledPrompt:
    """Add a scheduled prompt; raises Invalid naming the field at fault, Conflict where there are too many."""
    schedule = checking.checked_schedule(draft.schedule)
    return _create(user, draft.values(), schedule)


def change(user: User, prompt_id: str, draft: Draft) -> ScheduledPrompt:
    """Change a scheduled prompt; a schedule that stays as it is may lie in the past."""
    found = get_prompt(user, prompt_id)
    schedule = draft.schedule
    if schedule != found.task.schedule:
        schedule = checking.checked_schedule(schedule)
    values = draft.values()
    return _change(user, prompt_id, values, schedule)


@write_transaction
def pause(user: User, prompt_id: str) -> None:
    """Take a prompt out of the schedule."""
    tasks.pause_owned(user, _locked(user, prompt_id)[1])


@write_transaction
def resume(user: User, prompt_id: str) -> None:
    """Put a prompt back into the schedule; what it missed meanwhile is not made up for."""
    tasks.resume_owned(user, _locked(user, prompt_id)[1])


@write_transaction
def remove(user: User, prompt_id: str) -> str:
    """Delete a scheduled prompt with its history, and return its name; the chats stay."""
    found, task = _locked(user, prompt_id)
    name = found.name
    tasks.remove_owned(user, task)
    db.session.expunge(found)  # its row went with the task's
    return name


def run_now(user: User, prompt_id: str) -> None:
    """Ask once beside the schedule; it begins at once where this process does the scheduled work."""
    _run_now(user, prompt_id)
    tasks.wake()


@write_transaction
def _create(user: User, values: dict[str, object], schedule: Schedule) -> ScheduledPrompt:
    # The row of the person is locked, so that two requests at once do not both find room for one more.
    db.session.scalar(select(User.id).where(User.id == user.id).with_for_update())
    most = current_settings().schedules_per_user
    mine = select(func.count()).select_from(ScheduledPrompt).where(ScheduledPrompt.user_id == user.id)
    if (db.session.scalar(mine) or 0) >= most:
        sentence = _("You have as many schedules as you may: %(most)s. Delete one first.", most=most)
        raise Conflict(
            sentence if most else _("Schedules are turned off on this site."), code="too_many_schedules"
        )
    public_id = ids.public_id()
    task = tasks.add_owned(user, rules.FUNCTION, {"prompt": public_id}, schedule)
    made = ScheduledPrompt(public_id=public_id, user_id=user.id, task=task, **values)
    db.session.add(made)
    db.session.flush()
    return made


@write_transaction
def _change(user: User, prompt_id: str, values: dict[str, object], schedule: Schedule) -> ScheduledPrompt:
    found, task = _locked(user, prompt_id)
    for name, value in values.items():
        setattr(found, name, value)
    tasks.change_owned(user, task, schedule)
    return found


@write_transaction
def _run_now(user: User, prompt_id: str) -> None:
    tasks.start_owned(user, _locked(user, prompt_id)[1])


def _locked(user: User, prompt_id: str) -> tuple[ScheduledPrompt, Task]:
    found = get_prompt(user, prompt_id)
    return found, db.session.scalars(select(Task).where(Task.id == found.task_id).with_for_update()).one()
