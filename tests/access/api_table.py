"""The access matrix of the API, as `table.py` is that of the pages: one row a route.

The audience is the one of the route's contract, said a second time. `thing` names the maker of what the address names
by id; a user's things belong to Lin Yue. `body`: what is sent; it must fit where there is a thing, so that it is the
thing that is not found. `ends`: the token works no more after the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.people import PASSWORD
from webapp.admins.permissions import Permission
from webapp.identity.rules import Scope
from webapp.web.api import ANYBODY, OWNER, Audience, administrator, token


@dataclass(frozen=True, slots=True)
class ApiRow:
    """What is expected of one route; `may_be` as in `table.Row`."""

    audience: Audience
    thing: str = ""
    ends: bool = False
    may_be: frozenset[int] = frozenset()
    body: Mapping[str, Any] = field(default_factory=dict)


def row(
    audience: Audience,
    thing: str = "",
    *,
    ends: bool = False,
    may_be: tuple[int, ...] = (),
    body: Mapping[str, Any] | None = None,
) -> ApiRow:
    """Return a row."""
    return ApiRow(audience, thing, ends, frozenset(may_be), body or {})


ACCOUNTS: Final = {
    "api_user.avatar": row(token(Scope.PROFILE_READ), may_be=(404,)),
    "api_user.cancel_address": row(OWNER),
    "api_user.change_address": row(OWNER),
    "api_user.change_avatar": row(token(Scope.PROFILE_CHANGE)),
    "api_user.change_password": row(OWNER),
    "api_user.change_profile": row(token(Scope.PROFILE_CHANGE)),
    "api_user.confirm_address": row(OWNER),
    "api_user.create_token": row(OWNER),
    "api_user.delete_account": row(OWNER),
    "api_user.end_other_sessions": row(OWNER, ends=True),
    "api_user.end_session": row(OWNER, "device"),
    "api_user.export_data": row(OWNER),
    "api_user.login": row(ANYBODY, may_be=(401,)),
    "api_user.logout": row(OWNER, ends=True),
    "api_user.offer_two_step": row(OWNER),
    "api_user.profile": row(token(Scope.PROFILE_READ)),
    "api_user.register": row(ANYBODY),
    "api_user.remove_avatar": row(token(Scope.PROFILE_CHANGE)),
    "api_user.renew_recovery_codes": row(OWNER, may_be=(409,)),
    "api_user.reset_password": row(ANYBODY),
    "api_user.revoke_token": row(OWNER, "api_token"),
    "api_user.send_code": row(ANYBODY),
    "api_user.sessions": row(OWNER),
    "api_user.tokens": row(OWNER),
    "api_user.turn_two_step_off": row(OWNER),
    "api_user.turn_two_step_on": row(OWNER),
    "api_user.two_step": row(OWNER),
}

_MODELS: Final = token(Scope.MODELS)
_HELLO: Final = [{"role": "user", "content": "Hello"}]
LLM: Final = {
    "api_generate.events": row(_MODELS, "single_answer"),
    "api_generate.generate": row(_MODELS, body={"model": "scripted-echo", "message": "Hello"}),
    "api_generate.stop": row(_MODELS, "single_answer"),
    "api_generate.stream": row(_MODELS, body={"model": "scripted-echo", "message": "Hello"}),
    "api_llm.models": row(_MODELS),
    "api_llm.usage": row(_MODELS),
    "api_openai.complete": row(_MODELS, body={"model": "scripted-echo", "messages": _HELLO}),
    "api_openai.model": row(_MODELS, "model"),
    "api_openai.models": row(_MODELS),
}

_CHAT: Final = token(Scope.CHAT)
CHAT: Final = {
    "api_chat.answer": row(_CHAT, "answer"),
    "api_chat.conversation": row(_CHAT, "conversation"),
    "api_chat.conversations": row(_CHAT),
    "api_chat.create": row(_CHAT),
    "api_chat.delete": row(_CHAT, "conversation"),
    "api_chat.edit": row(_CHAT, "question", body={"text": "Hello"}),
    "api_chat.events": row(_CHAT, "answer"),
    "api_chat.export": row(_CHAT, "conversation"),
    "api_chat.go_on": row(_CHAT, "answer", may_be=(409,)),
    "api_chat.messages": row(_CHAT, "conversation"),
    "api_chat.regenerate": row(_CHAT, "answer"),
    "api_chat.rename": row(_CHAT, "conversation", body={"title": "Title"}),
    "api_chat.restore": row(_CHAT, "conversation"),
    "api_chat.search": row(_CHAT),
    "api_chat.send": row(_CHAT, "conversation", body={"text": "Hello"}),
    "api_chat.stop": row(_CHAT, "answer"),
}

DOCS: Final = {
    "api_docs.file": row(ANYBODY, "swagger_file"),
    "api_docs.openapi": row(ANYBODY),
    "api_docs.page": row(ANYBODY),
}

ADMINS: Final = {
    "api_admin.create": row(administrator(Permission.ADMINS_CHANGE)),
    "api_admin.login": row(ANYBODY),
    "api_admin.logout": row(administrator(unfinished=True), ends=True),
    "api_admin.me": row(administrator()),
    "api_admin.administrators": row(administrator(Permission.ADMINS_READ)),
    "api_admin.show": row(administrator(Permission.ADMINS_READ), "admin"),
    "api_admin.change": row(
        administrator(Permission.ADMINS_CHANGE),
        "admin",
        body={"email": "person@example.com", "display_name": "Person", "role": "auditor", "proof": PASSWORD},
    ),
    "api_admin.disable": row(administrator(Permission.ADMINS_CHANGE), "admin"),
    "api_admin.enable": row(administrator(Permission.ADMINS_CHANGE), "admin"),
    "api_admin.end_sessions": row(administrator(Permission.ADMINS_CHANGE), "admin"),
    "api_admin.reset_second_factor": row(
        administrator(Permission.ADMINS_CHANGE), "admin", body={"proof": PASSWORD}
    ),
    "api_admin.roles": row(administrator(Permission.ADMINS_READ)),
    "api_admin.add_role": row(
        administrator(Permission.ROLES_CHANGE), body={"name": "Reader", "permissions": ["users.read"]}
    ),
    "api_admin.change_role": row(
        administrator(Permission.ROLES_CHANGE),
        "role",
        body={"name": "Another", "permissions": ["users.read"]},
    ),
    "api_admin.delete_role": row(administrator(Permission.ROLES_CHANGE), "role"),
}

_READS_USERS: Final = administrator(Permission.USERS_READ)
_CHANGES_USERS: Final = administrator(Permission.USERS_CHANGE)
_PROVES: Final = {"proof": PASSWORD}

USERS: Final = {
    "api_users.users": row(_READS_USERS),
    "api_users.user": row(_READS_USERS, "account"),
    "api_users.invite": row(
        _CHANGES_USERS, body={"email": "new@example.com", "username": "new.one"}, may_be=(409,)
    ),
    "api_users.suspend": row(_CHANGES_USERS, "account", body={"reason": "test"}),
    "api_users.restore": row(_CHANGES_USERS, "account", may_be=(409,)),
    "api_users.unlock": row(_CHANGES_USERS, "account"),
    "api_users.end_sessions": row(_CHANGES_USERS, "account"),
    "api_users.end_tokens": row(_CHANGES_USERS, "account"),
    "api_users.start_reset": row(_CHANGES_USERS, "account"),
    "api_users.one_time_link": row(_CHANGES_USERS, "account", body=_PROVES),
    "api_users.preview": row(_CHANGES_USERS, body={"act": "suspend", "filter": {}}),
    "api_users.carry_out": row(
        _CHANGES_USERS, body={"act": "end_sessions", "filter": {"q": "nobody"}}, may_be=(422,)
    ),
    "api_users.check_import": row(administrator(Permission.USERS_IMPORT), may_be=(415,)),
    "api_users.carry_out_import": row(administrator(Permission.USERS_IMPORT), may_be=(415,)),
    "api_users.export_csv": row(administrator(Permission.USERS_EXPORT), body=_PROVES),
    "api_users.export_xlsx": row(administrator(Permission.USERS_EXPORT), body=_PROVES),
}

SETTINGS: Final = {
    "api_settings.settings": row(administrator(Permission.SETTINGS_READ)),
    "api_settings.history": row(administrator(Permission.SETTINGS_READ), "setting"),
    "api_settings.change": row(
        administrator(Permission.SETTINGS_CHANGE), body={"values": {"site_name": "Here"}}
    ),
    "api_settings.revert": row(
        administrator(Permission.SETTINGS_CHANGE), "setting", body={"version": 99}, may_be=(404,)
    ),
}

AUDIT: Final = {
    "api_audit.entries": row(administrator(Permission.AUDIT_READ)),
    "api_audit.entry": row(administrator(Permission.AUDIT_READ), "audit_entry"),
    "api_audit.export_csv": row(administrator(Permission.AUDIT_EXPORT), body=_PROVES),
    "api_audit.export_jsonl": row(administrator(Permission.AUDIT_EXPORT), body=_PROVES),
    "api_audit.verify": row(administrator(Permission.AUDIT_VERIFY)),
}

_READS_TASKS: Final = administrator(Permission.TASKS_READ)
_CHANGES_TASKS: Final = administrator(Permission.TASKS_CHANGE)
_PLAN: Final = {"name": "Another", "interval_seconds": 3600}

TASKS: Final = {
    "api_tasks.tasks": row(_READS_TASKS),
    "api_tasks.functions": row(_READS_TASKS),
    "api_tasks.task": row(_READS_TASKS, "task"),
    "api_tasks.create": row(_CHANGES_TASKS, body={**_PLAN, "function": "nothing"}, may_be=(422,)),
    "api_tasks.change": row(_CHANGES_TASKS, "task", body={**_PLAN, "seen": "0"}, may_be=(409,)),
    "api_tasks.delete": row(_CHANGES_TASKS, "task", may_be=(409,)),
    "api_tasks.run_now": row(_CHANGES_TASKS, "task"),
    "api_tasks.pause": row(_CHANGES_TASKS, "task"),
    "api_tasks.resume": row(_CHANGES_TASKS, "task"),
    "api_tasks.back_to_default": row(_CHANGES_TASKS, "task", may_be=(409,)),
    "api_tasks.bulk": row(_CHANGES_TASKS, body={"act": "resume", "tasks": ["nothing"]}),
    "api_tasks.runs": row(_READS_TASKS),
    "api_tasks.run": row(_READS_TASKS, "run"),
    "api_tasks.log": row(_READS_TASKS, "run"),
    "api_tasks.events": row(_READS_TASKS, "run"),
    "api_tasks.cancel": row(_CHANGES_TASKS, "run", may_be=(409,)),
    "api_tasks.retry": row(_CHANGES_TASKS, "run", may_be=(409,)),
}

API_MATRIX: Final[dict[str, ApiRow]] = {
    **ACCOUNTS,
    **ADMINS,
    **DOCS,
    **CHAT,
    **LLM,
    **USERS,
    **SETTINGS,
    **AUDIT,
    **TASKS,
}
