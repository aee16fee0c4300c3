"""The forms of accounts; limits come from the rules, refusals from the services."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import TextInput

from webapp.accounts import rules
from webapp.identity.rules import EMAIL_MAX_LENGTH, PASSWORD_MAX_LENGTH
from webapp.web.forms import Form
from webapp.web.locale import LANGUAGES

CODE_FIELD_LENGTH = 40  # room for a recovery code with hyphens and spaces
_REQUIRED = _l("Fill this in.")


def _needed(most: int) -> list[object]:
    return [InputRequired(_REQUIRED), Length(max=most)]


class LoginForm(Form):
    """Signing in."""

    login = StringField(_l("E-mail or user name"), _needed(rules.LOGIN_MAX_LENGTH))
    password = PasswordField(_l("Password"), _needed(PASSWORD_MAX_LENGTH))
    keep = BooleanField(_l("Keep me signed in on this device"), default=True)


class RegisterForm(Form):
    """Creating an account; the button `send` asks for the code first."""

    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))
    username = StringField(_l("User name"), _needed(rules.USERNAME_MAX_LENGTH))
    password = PasswordField(_l("Password"), _needed(PASSWORD_MAX_LENGTH))
    code = StringField(_l("Code from the mail"), _needed(12))
    timezone = HiddenField()


class EmptyForm(Form):
    """A button."""


class CodeForm(Form):
    """The second step of signing in, and turning it on."""

    code = StringField(_l("Code"), _needed(CODE_FIELD_LENGTH))


class ConfirmForm(Form):
    """Proving again who one is; the password, or a code where two-step sign-in is on."""

    proof = PasswordField(_l("Password"), _needed(PASSWORD_MAX_LENGTH))

    def name_proof(self, *, two_step: bool) -> None:
        """Ask for a code instead of the password."""
        if two_step:
            self.proof.label.text = _("Code")
            self.proof.widget = TextInput()


class NewPasswordForm(Form):
    """Setting a password with a one-time link."""

    password = PasswordField(_l("New password"), _needed(PASSWORD_MAX_LENGTH))


class ForgotForm(Form):
    """Asking for a code to set a new password."""

    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))


class ResetForm(Form):
    """Setting a new password with a code."""

    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))
    code = StringField(_l("Code from the mail"), _needed(12))
    password = PasswordField(_l("New password"), _needed(PASSWORD_MAX_LENGTH))


class ProfileForm(Form):
    """What others see, and how the pages are shown."""

    display_name = StringField(_l("Name"), _needed(rules.DISPLAY_NAME_MAX_LENGTH))
    username = StringField(_l("User name"), _needed(rules.USERNAME_MAX_LENGTH))
    locale = SelectField(
        _l("Language"),
        choices=[
            SelectChoice("", _l("As the browser says")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
        default="",
    )
    timezone = SelectField(_l("Time zone"), default="")

    def offer_timezones(self, names: tuple[str, ...]) -> None:
        """Let one of these zones be chosen, or none."""
        self.timezone.choices = [
            SelectChoice("", _l("As this site")),
            *(SelectChoice(name, name.replace("_", " ")) for name in names),
        ]


class AvatarForm(Form):
    """A picture."""

    avatar = FileField(_l("Picture"))


class PasswordForm(Form):
    """Changing the password."""

    current = PasswordField(_l("Current password"), _needed(PASSWORD_MAX_LENGTH))
    new = PasswordField(_l("New password"), _needed(PASSWORD_MAX_LENGTH))
