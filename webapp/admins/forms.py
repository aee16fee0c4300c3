"""The forms about administrators and roles."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from webapp.accounts import service as users
from webapp.accounts.rules import DISPLAY_NAME_MAX_LENGTH, USERNAME_MAX_LENGTH
from webapp.admins.models import Role
from webapp.admins.permissions import Permission
from webapp.admins.rules import ROLE_DESCRIPTION_MAX_LENGTH, ROLE_NAME_MAX_LENGTH
from webapp.admins.words import role_name
from webapp.identity.rules import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH
from webapp.web.forms import Form
from webapp.web.locale import LANGUAGES

CODE_FIELD_LENGTH = 40  # room for a recovery code with hyphens and spaces


def _needed(longest: int) -> list[object]:
    return [InputRequired(_l("Fill in this field.")), Length(max=longest)]


class FirstAdminForm(Form):
    """The first administrator."""

    username = StringField(_l("User name"), _needed(USERNAME_MAX_LENGTH))
    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))
    password = PasswordField(_l("Password"), _needed(PASSWORD_MAX_LENGTH))


class NewAdminForm(FirstAdminForm):
    """Another administrator, with a role."""

    role = SelectField(_l("Role"))

    def offer(self, roles: Sequence[Role]) -> None:
        """Let one of these roles be chosen, by name."""
        self.role.choices = [SelectChoice(role.name, role_name(role)) for role in roles]


class AdminForm(Form):
    """What can be changed of another administrator."""

    display_name = StringField(_l("Name"), _needed(DISPLAY_NAME_MAX_LENGTH))
    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))
    role = SelectField(_l("Role"))

    def offer(self, roles: Sequence[Role]) -> None:
        """Let one of these roles be chosen, by public id."""
        self.role.choices = [SelectChoice(role.public_id, role_name(role)) for role in roles]


class RoleForm(Form):
    """A role composed of permissions."""

    name = StringField(_l("Name"), _needed(ROLE_NAME_MAX_LENGTH))
    description = StringField(_l("What it is for"), [Length(max=ROLE_DESCRIPTION_MAX_LENGTH)])
    permissions = SelectMultipleField(
        _l("Permissions"), choices=[SelectChoice(each.value, each.value) for each in Permission]
    )


class OwnAccountForm(Form):
    """An administrator's own name, language and zone."""

    display_name = StringField(_l("Name"), _needed(DISPLAY_NAME_MAX_LENGTH))
    locale = SelectField(
        _l("Language"),
        choices=[
            SelectChoice("", _l("As the browser says")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
        default="",
    )
    timezone = SelectField(_l("Time zone"), default="")

    def offer_timezones(self) -> None:
        """Let a zone be chosen, or none."""
        self.timezone.choices = [
            SelectChoice("", _("As this site")),
            *(SelectChoice(name, name.replace("_", " ")) for name in users.timezones()),
        ]


class OwnPasswordForm(Form):
    """Changing one's own password."""

    current = PasswordField(_l("Current password"), _needed(PASSWORD_MAX_LENGTH))
    new = PasswordField(_l("New password"), _needed(PASSWORD_MAX_LENGTH))
