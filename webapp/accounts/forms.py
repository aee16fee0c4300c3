"""The forms of accounts; limits come from the rules, refusals from the services."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import TextInput

from webapp.accounts import rules
from webapp.identity.rules import (
    EMAIL_MAX_LENGTH,
    PASSWORD_MAX_LENGTH,
    TOKEN_DAYS,
    TOKEN_DAYS_DEFAULT,
    TOKEN_NAME_LENGTH,
    Scope,
)
from webapp.web.forms import Form
from webapp.web.locale import LANGUAGES

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


class AddressForm(Form):
    """Asking for another e-mail address."""

    email = EmailField(_l("New e-mail address"), _needed(EMAIL_MAX_LENGTH))


def scope_words() -> dict[str, str]:
    """Return what the scopes of tokens are called."""
    return {
        Scope.CHAT.value: _("Chat: ask and read answers"),
        Scope.MODELS.value: _("Models: list those that can be used"),
        Scope.PROFILE_READ.value: _("Profile: read name and address"),
        Scope.PROFILE_CHANGE.value: _("Profile: change name, language, time zone and picture"),
    }


class TokenForm(Form):
    """Making an API token."""

    name = StringField(_l("Name"), _needed(TOKEN_NAME_LENGTH))
    scopes = SelectMultipleField(_l("What it may be used for"))
    days = SelectField(_l("Works for"), coerce=int, default=TOKEN_DAYS_DEFAULT)
    networks = TextAreaField(_l("Only from these addresses"), [Length(max=2000)])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes.choices = list(scope_words().items())
        self.days.choices = [
            SelectChoice(days, ngettext("%(num)s day", "%(num)s days", days)) for days in TOKEN_DAYS
        ]


class DeleteForm(Form):
    """Having the account deleted."""

    sure = BooleanField(
        _l("I know that my chats are deleted with it"), [InputRequired(_l("Tick this if you are sure."))]
    )


class ForgotForm(Form):
    """Asking for a code to set a new password."""

    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))


class ResetForm(Form):
    """Setting a new password with a code."""

    email = EmailField(_l("E-mail"), _needed(EMAIL_MAX_LENGTH))
    code = StringField(_l("Code from the mail"), _needed(12))
    password = PasswordField(_l("New password"), _needed(PASSWORD_MAX_LENGTH))


class ProfileForm(Form):
    """What others see."""

    display_name = StringField(_l("Name"), _needed(rules.DISPLAY_NAME_MAX_LENGTH))
    username = StringField(_l("User name"), _needed(rules.USERNAME_MAX_LENGTH))


class PreferencesForm(Form):
    """How pages and mail are written."""

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
