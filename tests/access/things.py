"""What addresses name by id: each maker makes one such thing and returns the values for the address.

Things of users belong to Lin Yue.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from io import BytesIO
from typing import Final

from sqlalchemy import select

from tests.access.people import Cast
from tests.accounts.pictures import picture
from tests.chat.waiting import ask, wait_for_end
from tests.people import add_admin, add_user, sign_in, sign_in_admin
from tests.tasks import functions
from webapp import app as application
from webapp.accounts import service as accounts
from webapp.accounts.models import User
from webapp.admins import service as admins
from webapp.announcements import service as announcements
from webapp.announcements.rules import Audience, Level
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.chat import service as chat
from webapp.database import db
from webapp.identity import service as identity
from webapp.identity import throttles
from webapp.identity.models import LoginSession, Throttle, VerificationCode
from webapp.identity.rules import THROTTLES, Realm, ThrottleKind
from webapp.lib import clock
from webapp.llm import service as llm
from webapp.llm.rules import ChatMessage, ChatRequest
from webapp.mail import outbox
from webapp.prompts import service as prompts
from webapp.tasks import service as tasks
from webapp.tasks.models import Task
from webapp.tasks.service import Schedule as TaskSchedule
from webapp.web.assets import asset_url

_numbers = itertools.count()
ABSENT: Final = "x" * 22


def answer(cast: Cast) -> dict[str, str]:
    """An answer that is complete."""
    client = cast.client("user")
    sent = ask(client)
    wait_for_end(client, sent["answer"])
    return {"answer_id": sent["answer"]}


def single_answer(cast: Cast) -> dict[str, str]:
    """The answer to a program's single question."""
    with cast.app.test_request_context():
        owner = db.session.get_one(User, cast.owner.id)
        asked = ChatRequest("scripted-echo", (ChatMessage("user", "Hello"),))
        made = chat.ask_once(
            owner, asked, llm.get_model("scripted-echo"), client_request_id=None, request_id=""
        )
        return {"answer_id": made.public_id}


def conversation(cast: Cast) -> dict[str, str]:
    """A conversation with one turn."""
    client = cast.client("user")
    sent = ask(client)
    wait_for_end(client, sent["answer"])
    return {"conversation_id": sent["conversation"]}


def question(cast: Cast) -> dict[str, str]:
    """A question that was answered."""
    client = cast.client("user")
    sent = ask(client)
    wait_for_end(client, sent["answer"])
    return {"message_id": sent["question"]}


def schedule(cast: Cast) -> dict[str, str]:
    """A prompt of Lin Yue's that is asked every day."""
    with cast.app.app_context():
        user = db.session.get_one(User, cast.owner.id)
        for each in prompts.prompts_of(user):  # there is a limit to how many one may have
            prompts.remove(user, each.public_id)
        draft = prompts.Draft("What is new?", "scripted-echo", TaskSchedule(cron="0 8 * * *"))
        return {"prompt_id": prompts.create(user, draft).public_id}


def schedule_task(cast: Cast) -> dict[str, str]:
    """The task behind it."""
    prompt_id = schedule(cast)["prompt_id"]
    with cast.app.app_context():
        user = db.session.get_one(User, cast.owner.id)
        return {"task_id": prompts.get_prompt(user, prompt_id).task.public_id}


def avatar(cast: Cast) -> dict[str, str]:
    """A picture, which every user may see."""
    with cast.app.app_context():
        user = db.session.get_one(User, cast.owner.id)
        accounts.set_avatar(user, BytesIO(picture()))
        return {"avatar_id": user.avatar_id or ""}


def mail(cast: Cast) -> dict[str, str]:
    """A mail on the developer's page."""
    with cast.app.test_request_context():
        accounts.ask_register_code(f"somebody.{next(_numbers)}@example.com")
        return {"mail_id": outbox.newest(1)[0].public_id}


def asset(cast: Cast) -> dict[str, str]:
    """A style sheet."""
    with cast.app.test_request_context():
        _, _, release, name = asset_url("css/app.css").split("/", 3)
    return {"release": release, "name": name}


def admin(cast: Cast) -> dict[str, str]:
    """An auditor, about whom every superadmin may decide."""
    return {"admin_id": add_admin(cast.app, f"person.{next(_numbers)}", "auditor").public_id}


def role(cast: Cast) -> dict[str, str]:
    """A role that nobody has."""
    with cast.app.app_context():
        made = admins.add_role(
            actor=audit.SYSTEM, name=f"Role {next(_numbers)}", description="", permissions=["users.read"]
        )
        return {"role_id": made.public_id}


def lockout(cast: Cast) -> dict[str, str]:
    """The wait of a user's account after too many tries in vain."""
    with cast.app.test_request_context():
        name = f"guessed.{next(_numbers)}"
        key = throttles.Key(Realm.USER, ThrottleKind.ACCOUNT, name)
        for _try in range(THROTTLES[key.kind].free):
            throttles.reserve(key)
        waits = select(Throttle.public_id).where(Throttle.key_hash == key.hash)
        return {"lockout_id": db.session.scalars(waits).one()}


def audit_entry(cast: Cast) -> dict[str, str]:
    """The newest entry of the audit log."""
    with cast.app.app_context():
        newest = select(AuditEntry.public_id).order_by(AuditEntry.id.desc()).limit(1)
        return {"entry_id": db.session.scalars(newest).one()}


def code(cast: Cast) -> dict[str, str]:
    """A mailed code that is open."""
    mail(cast)
    with cast.app.app_context():
        newest = select(VerificationCode.public_id).order_by(VerificationCode.id.desc()).limit(1)
        return {"code_id": db.session.scalars(newest).one()}


def announcement(cast: Cast) -> dict[str, str]:
    """An announcement to everybody."""
    with cast.app.app_context():
        now = clock.utc_now()
        made = announcements.create(
            announcements.Draft(
                text_en="News.",
                text_zh="新闻。",
                audience=Audience.EVERYBODY.value,
                level=Level.INFO.value,
                starts_at=now,
                ends_at=None,
            ),
            actor=audit.SYSTEM,
        )
        return {"announcement_id": made.public_id}


def setting(cast: Cast) -> dict[str, str]:
    """A setting."""
    del cast
    return {"name": "site_name"}


def account(cast: Cast) -> dict[str, str]:
    """An account of a user, for administrators to look at."""
    return {"user_id": add_user(cast.app, f"user.{next(_numbers)}", "Somebody").public_id}


def user_act(cast: Cast) -> dict[str, str]:
    """Something that can be done with an account."""
    return account(cast) | {"act": "suspend"}


def admin_session(cast: Cast) -> dict[str, str]:
    """A session of an administrator whom nobody in the matrix is: absent for everybody."""
    person = add_admin(cast.app, f"person.{next(_numbers)}", "auditor")
    sign_in_admin(cast.app, person)
    with cast.app.app_context():
        return {"session_id": identity.sessions_of(Realm.ADMIN, person.id)[0].public_id}


def dead_link(cast: Cast) -> dict[str, str]:
    """A one-time link that nobody was given."""
    del cast
    return {"token": ABSENT}


def swagger_file(cast: Cast) -> dict[str, str]:
    """A style sheet of the page that describes the API."""
    del cast
    return {"name": "swagger-ui.css"}


def setup_link(cast: Cast) -> dict[str, str]:
    """There is no set-up link once there are administrators: nobody finds anything there."""
    assert application.setup_token(cast.app) is None
    return {"token": ABSENT}


def device(cast: Cast) -> dict[str, str]:
    """Another device on which Lin Yue is signed in."""
    sign_in(cast.app, cast.owner)
    with cast.app.app_context():
        newest = select(LoginSession).where(
            LoginSession.subject_id == cast.owner.id, LoginSession.realm == "user"
        )
        session = db.session.scalars(newest.order_by(LoginSession.id.desc())).first()
        assert session is not None
        return {"session_id": session.public_id}


def api_token(cast: Cast) -> dict[str, str]:
    """A token of Lin Yue's."""
    with cast.app.test_request_context():
        user = db.session.get_one(User, cast.owner.id)
        _raw, row = identity.create_token(user, name="A program", scopes=["chat"], days=30)
        return {"token_id": row.public_id}


def task_function(_cast: Cast) -> dict[str, str]:
    """A function of which administrators may make tasks."""
    return {"func_name": functions.note.__name__}


def task(cast: Cast) -> dict[str, str]:
    """A task that comes due tomorrow."""
    with cast.app.app_context():
        tomorrow = clock.utc_now() + dt.timedelta(days=1)
        made = Task(name="Tomorrow", func_name="note", arguments='{"path": "x"}', scheduled_at=tomorrow)
        db.session.add(made)
        db.session.commit()
        return {"task_id": made.public_id}


def run(cast: Cast) -> dict[str, str]:
    """A run that has ended."""
    values = task(cast)
    with cast.app.app_context():
        made = tasks.run_now(audit.SYSTEM, values["task_id"])
        tasks.cancel_run(audit.SYSTEM, made.public_id)
        return {"run_id": made.public_id}


def model(_cast: Cast) -> dict[str, str]:
    """A model that is offered."""
    return {"model": "scripted-echo"}


MAKERS: Final[dict[str, Callable[[Cast], dict[str, str]]]] = {
    each.__name__: each
    for each in (
        answer,
        single_answer,
        conversation,
        question,
        schedule,
        schedule_task,
        avatar,
        mail,
        model,
        asset,
        admin,
        role,
        lockout,
        setup_link,
        swagger_file,
        audit_entry,
        code,
        announcement,
        setting,
        account,
        user_act,
        dead_link,
        device,
        api_token,
        admin_session,
        task_function,
        task,
        run,
    )
}
EVERYBODYS: Final = frozenset(
    {"avatar", "mail", "model", "asset", "setup_link", "dead_link", "announcement", "swagger_file"}
)  # of these nobody is the owner
NOT_THERE: Final = frozenset({"setup_link", "dead_link", "admin_session"})
