"""The access matrix: who may do what, one row an endpoint. A route without a row fails the build.

A row names its audience: `PUBLIC`, `USER` (everybody with an account), or the permission of the dashboard that the
view needs (`ANY_ADMIN` for every administrator). Where the address holds an id, `thing` names the maker in
`things.py` that makes such an object; of a user's things it makes one that belongs to Lin Yue, so that the matrix can
try it as Lin Yue, as somebody else, and with an id that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.admins.permissions import Permission
from webapp.web.guards import ANY_ADMIN

PUBLIC: Final = "public"
USER: Final = "user"


@dataclass(frozen=True, slots=True)
class Row:
    """What is expected of one endpoint.

    `ends`: it ends the session it is called in. `may_be`: refusals that somebody who is allowed may get because of the
    thing's state, beside success and 400 or 422 for input that is missing.
    """

    audience: str
    thing: str = ""
    ends: bool = False
    may_be: frozenset[int] = frozenset()


def _row(audience: str, thing: str = "", *, ends: bool = False, may_be: tuple[int, ...] = ()) -> Row:
    return Row(audience, thing, ends, frozenset(may_be))


ACCOUNTS: Final = {
    "accounts.avatar": _row(USER, "avatar"),
    "accounts.change_avatar": _row(USER),
    "accounts.cancel_address": _row(USER),
    "accounts.cancel_two_step": _row(USER),
    "accounts.change_address": _row(USER),
    "accounts.change_password": _row(USER),
    "accounts.confirm": _row(USER),
    "accounts.disown": _row(PUBLIC, "dead_link"),
    "accounts.confirm_address": _row(USER),
    "accounts.create_token": _row(USER),
    "accounts.delete_account": _row(USER),
    "accounts.end_device": _row(USER, "device", may_be=(404,)),
    "accounts.end_other_devices": _row(USER, ends=True),
    "accounts.export_data": _row(USER),
    "accounts.forgot_password": _row(PUBLIC),
    "accounts.keep_account": _row(PUBLIC),
    "accounts.login": _row(PUBLIC),
    "accounts.logout": _row(USER, ends=True),
    "accounts.object_to_address": _row(PUBLIC, "dead_link"),
    "accounts.password_link": _row(PUBLIC, "dead_link"),
    "accounts.offer_two_step": _row(USER),
    "accounts.preferences": _row(USER),
    "accounts.profile": _row(USER),
    "accounts.register": _row(PUBLIC),
    "accounts.renew_recovery_codes": _row(USER, may_be=(409,)),
    "accounts.reset_password": _row(PUBLIC),
    "accounts.revoke_token": _row(USER, "api_token", may_be=(404,)),
    "accounts.second_step": _row(PUBLIC),
    "accounts.security": _row(USER),
    "accounts.tokens": _row(USER),
    "accounts.turn_two_step_off": _row(USER),
    "accounts.turn_two_step_on": _row(USER),
    "accounts.your_data": _row(USER),
}

CHAT: Final = {
    "chat.answer": _row(USER, "answer"),
    "chat.continue_answer": _row(USER, "answer", may_be=(409,)),
    "chat.conversation": _row(USER, "conversation"),
    "chat.conversations": _row(USER),
    "chat.delete": _row(USER, "conversation"),
    "chat.edit": _row(USER, "question"),
    "chat.index": _row(USER),
    "chat.regenerate": _row(USER, "answer"),
    "chat.rename": _row(USER, "conversation"),
    "chat.restore": _row(USER, "conversation"),
    "chat.search": _row(USER),
    "chat.send": _row(USER),
    "chat.source": _row(USER, "answer"),
    "chat.stop": _row(USER, "answer"),
    "chat_stream.events": _row(USER, "answer"),
}

SCHEDULES: Final = {
    "schedules.create": _row(USER),
    "schedules.delete": _row(USER, "schedule"),
    "schedules.edit": _row(USER, "schedule"),
    "schedules.index": _row(USER),
    "schedules.pause": _row(USER, "schedule"),
    "schedules.preview": _row(USER),
    "schedules.resume": _row(USER, "schedule"),
    "schedules.run_now": _row(USER, "schedule"),
    "schedules.show": _row(USER, "schedule"),
}

SITE: Final = {
    "assets.serve": _row(PUBLIC, "asset"),
    "dev.components": _row(PUBLIC),
    "dev_mail.html_part": _row(PUBLIC, "mail"),
    "dev_mail.index": _row(PUBLIC),
    "dev_mail.message": _row(PUBLIC, "mail"),
    "health.live": _row(PUBLIC),
    "health.ready": _row(PUBLIC),
    "health.stream": _row(PUBLIC),
    "monitoring.metrics": _row(PUBLIC, may_be=(404,)),
    "site.home": _row(PUBLIC),
    "site.privacy": _row(PUBLIC),
    "site.set_language": _row(PUBLIC),
    "site.set_theme": _row(PUBLIC),
}

DASHBOARD: Final = {
    "announcements.dismiss": _row(USER, "announcement"),
    "dashboard.account.index": _row(ANY_ADMIN),
    "dashboard.account.language": _row(ANY_ADMIN),
    "dashboard.account.password": _row(ANY_ADMIN),
    "dashboard.account.end_other_sessions": _row(ANY_ADMIN),
    "dashboard.account.end_session": _row(ANY_ADMIN, "admin_session"),
    "dashboard.account.sessions": _row(ANY_ADMIN),
    "dashboard.administrators.change": _row(Permission.ADMINS_CHANGE, "admin"),
    "dashboard.administrators.create": _row(Permission.ADMINS_CHANGE),
    "dashboard.administrators.disable": _row(Permission.ADMINS_CHANGE, "admin"),
    "dashboard.administrators.enable": _row(Permission.ADMINS_CHANGE, "admin"),
    "dashboard.administrators.end_sessions": _row(Permission.ADMINS_CHANGE, "admin"),
    "dashboard.administrators.index": _row(Permission.ADMINS_READ),
    "dashboard.administrators.reset_second_factor": _row(Permission.ADMINS_CHANGE, "admin"),
    "dashboard.administrators.show": _row(Permission.ADMINS_READ, "admin"),
    "dashboard.audit.entry": _row(Permission.AUDIT_READ, "audit_entry"),
    "dashboard.audit.export": _row(Permission.AUDIT_EXPORT),
    "dashboard.audit.index": _row(Permission.AUDIT_READ),
    "dashboard.audit.verify": _row(Permission.AUDIT_VERIFY),
    "dashboard.audit.verify_page": _row(Permission.AUDIT_VERIFY),
    "dashboard.codes.cancel": _row(Permission.USERS_CHANGE, "code"),
    "dashboard.codes.index": _row(Permission.CODES_READ),
    "dashboard.confirming.confirm": _row(ANY_ADMIN),
    "dashboard.mail.cancel": _row(Permission.MAIL_CHANGE, "mail", may_be=(409,)),
    "dashboard.mail.index": _row(Permission.MAIL_READ),
    "dashboard.mail.retry": _row(Permission.MAIL_CHANGE, "mail", may_be=(409,)),
    "dashboard.notices.create": _row(Permission.ANNOUNCEMENTS_CHANGE),
    "dashboard.notices.dismiss": _row(ANY_ADMIN, "announcement"),
    "dashboard.notices.edit": _row(Permission.ANNOUNCEMENTS_CHANGE, "announcement"),
    "dashboard.notices.index": _row(Permission.ANNOUNCEMENTS_READ),
    "dashboard.notices.remove": _row(Permission.ANNOUNCEMENTS_CHANGE, "announcement"),
    "dashboard.overview.index": _row(Permission.OVERVIEW_READ),
    "dashboard.system.index": _row(Permission.SYSTEM_READ),
    "dashboard.usage.index": _row(Permission.USAGE_READ),
    "dashboard.providers.index": _row(Permission.SETTINGS_READ),
    "dashboard.providers.test": _row(Permission.PROVIDERS_CHANGE),
    "dashboard.roles.change": _row(Permission.ROLES_CHANGE, "role"),
    "dashboard.roles.create": _row(Permission.ROLES_CHANGE),
    "dashboard.roles.delete": _row(Permission.ROLES_CHANGE, "role"),
    "dashboard.lockouts.index": _row(Permission.USERS_READ),
    "dashboard.lockouts.lift": _row(Permission.USERS_CHANGE, "lockout"),
    "dashboard.roles.index": _row(Permission.ADMINS_READ),
    "dashboard.roles.show": _row(Permission.ADMINS_READ, "role"),
    "dashboard.settings.history": _row(Permission.SETTINGS_READ, "setting"),
    "dashboard.settings.index": _row(Permission.SETTINGS_READ),
    "dashboard.settings.revert": _row(Permission.SETTINGS_CHANGE, "setting"),
    "dashboard.settings.save": _row(Permission.SETTINGS_CHANGE),
    "dashboard.settings.test_mail": _row(Permission.SETTINGS_CHANGE),
    "dashboard.schedules.index": _row(Permission.TASKS_READ),
    "dashboard.schedules.pause": _row(Permission.TASKS_CHANGE, "schedule_task"),
    "dashboard.schedules.resume": _row(Permission.TASKS_CHANGE, "schedule_task"),
    "dashboard.second_factor.begin": _row(ANY_ADMIN),
    "dashboard.second_factor.index": _row(ANY_ADMIN),
    "dashboard.second_factor.recovery_codes": _row(ANY_ADMIN, may_be=(409,)),
    "dashboard.second_factor.turn_off": _row(ANY_ADMIN),
    "dashboard.second_factor.turn_on": _row(ANY_ADMIN),
    "dashboard.setup.first_admin": _row(PUBLIC, "setup_link"),
    "dashboard.setup.mail": _row(Permission.SETTINGS_CHANGE),
    "dashboard.setup.model": _row(Permission.PROVIDERS_CHANGE),
    "dashboard.setup.site": _row(Permission.SETTINGS_CHANGE),
    "dashboard.signing.login": _row(PUBLIC),
    "dashboard.signing.logout": _row(ANY_ADMIN, ends=True),
    "dashboard.signing.second_step": _row(PUBLIC),
    "dashboard.users.act_on": _row(Permission.USERS_CHANGE, "user_act", may_be=(409,)),
    "dashboard.users.apply_bulk": _row(Permission.USERS_CHANGE),
    "dashboard.users.apply_import": _row(Permission.USERS_IMPORT),
    "dashboard.users.export": _row(Permission.USERS_EXPORT),
    "dashboard.users.export_page": _row(Permission.USERS_EXPORT),
    "dashboard.users.import_file": _row(Permission.USERS_IMPORT),
    "dashboard.tasks.back_to_default": _row(Permission.TASKS_CHANGE, "task"),
    "dashboard.tasks.bulk": _row(Permission.TASKS_CHANGE),
    "dashboard.tasks.cancel_run": _row(Permission.TASKS_CHANGE, "run"),
    "dashboard.tasks.choose": _row(Permission.TASKS_CHANGE),
    "dashboard.tasks.create": _row(Permission.TASKS_CHANGE, "task_function"),
    "dashboard.tasks.delete": _row(Permission.TASKS_CHANGE, "task", may_be=(404,)),
    "dashboard.tasks.edit": _row(Permission.TASKS_CHANGE, "task"),
    "dashboard.tasks.events": _row(Permission.TASKS_READ, "run"),
    "dashboard.tasks.index": _row(Permission.TASKS_READ),
    "dashboard.tasks.log": _row(Permission.TASKS_READ, "run"),
    "dashboard.tasks.pause": _row(Permission.TASKS_CHANGE, "task"),
    "dashboard.tasks.preview": _row(Permission.TASKS_CHANGE),
    "dashboard.tasks.resume": _row(Permission.TASKS_CHANGE, "task"),
    "dashboard.tasks.retry_run": _row(Permission.TASKS_CHANGE, "run"),
    "dashboard.tasks.run": _row(Permission.TASKS_READ, "run"),
    "dashboard.tasks.run_now": _row(Permission.TASKS_CHANGE, "task"),
    "dashboard.tasks.runs": _row(Permission.TASKS_READ),
    "dashboard.tasks.show": _row(Permission.TASKS_READ, "task"),
    "dashboard.tasks.week": _row(Permission.TASKS_READ),
    "dashboard.users.index": _row(Permission.USERS_READ),
    "dashboard.users.invite": _row(Permission.USERS_CHANGE),
    "dashboard.users.one_time_link": _row(Permission.USERS_CHANGE, "account"),
    "dashboard.users.person": _row(Permission.USERS_READ, "account"),
    "dashboard.users.preview_bulk": _row(Permission.USERS_CHANGE),
}

MATRIX: Final[dict[str, Row]] = {**ACCOUNTS, **CHAT, **SCHEDULES, **SITE, **DASHBOARD}
