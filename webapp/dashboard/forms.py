"""The forms of the dashboard itself."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, IntegerField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Email, Length, NumberRange, Optional

from webapp.accounts import service as users
from webapp.config import Settings
from webapp.web.forms import Form
from webapp.web.locale import LANGUAGES


class LoginForm(Form):
    """Name or address, and password."""

    login = StringField(_l("User name or e-mail"), validators=[DataRequired()])
    password = PasswordField(_l("Password"), validators=[DataRequired()])


class SiteSetupForm(Form):
    """Name, language and zone of the site."""

    site_name = StringField(_l("Name of the site"), [DataRequired(), Length(max=60)])
    default_locale = SelectField(
        _l("Language"), choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()]
    )
    default_timezone = SelectField(_l("Time zone"), choices=[])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default_timezone.choices = [
            SelectChoice(name, name.replace("_", " ")) for name in users.timezones()
        ]

    def values(self) -> dict[str, Any]:
        """Return what is to be stored."""
        return {name: self._fields[name].data for name in ("site_name", "default_locale", "default_timezone")}


class MailSetupForm(Form):
    """A mail server, and where a test mail goes."""

    mail_server = StringField(_l("Mail server"), [Length(max=253)])
    mail_port = IntegerField(_l("Port"), [Optional(), NumberRange(1, 65535)])
    encryption = SelectField(
        _l("Encryption"),
        choices=[
            SelectChoice("starttls", _l("STARTTLS (usually port 587)")),
            SelectChoice("tls", _l("TLS from the first byte (usually port 465)")),
            SelectChoice("none", _l("None (only within this machine)")),
        ],
    )
    mail_username = StringField(_l("User name there"), [Length(max=254)])
    mail_password = PasswordField(_l("Password there"), [Length(max=500)])
    mail_sender = EmailField(_l("Mail comes from"), [Length(max=254)])
    to = EmailField(_l("Send a test mail to"), [DataRequired(), Email()])

    @classmethod
    def of(cls, settings: Settings, *, to: str) -> MailSetupForm:
        """Return the form as the settings are; the password is not shown."""
        return cls(
            obj=settings,
            to=to,
            encryption="tls" if settings.mail_use_ssl else ("starttls" if settings.mail_use_tls else "none"),
        )

    def values(self) -> dict[str, Any]:
        """Return what is to be stored; a password that was not typed stays as it is."""
        values = {
            "mail_server": (self.mail_server.data or "").strip(),
            "mail_port": self.mail_port.data or 587,
            "mail_username": (self.mail_username.data or "").strip(),
            "mail_sender": (self.mail_sender.data or "").strip(),
            "mail_use_tls": self.encryption.data == "starttls",
            "mail_use_ssl": self.encryption.data == "tls",
        }
        return values | ({"mail_password": self.mail_password.data} if self.mail_password.data else {})


class ModelSetupForm(Form):
    """A provider of models: Zhipu by its key, any other by address, key and the names of its models."""

    provider = SelectField(
        _l("Provider"),
        choices=[
            SelectChoice("zhipu", "Zhipu"),
            SelectChoice("openai_compatible", _l("Another one (OpenAI-compatible)")),
        ],
    )
    zhipuai_api_key = PasswordField(_l("Key for Zhipu"), [Length(max=500)])
    openai_compatible_base_url = StringField(_l("Address of the other one"), [Length(max=500)])
    openai_compatible_api_key = PasswordField(_l("Key for it"), [Length(max=500)])
    models = StringField(_l("Models it offers"), [Length(max=1000)])

    def values(self) -> dict[str, Any]:
        """Return what is to be stored of the provider chosen; a key that was not typed stays as it is."""
        if self.provider.data == "zhipu":
            key = (self.zhipuai_api_key.data or "").strip()
            return {"zhipuai_api_key": key} if key else {}
        key = (self.openai_compatible_api_key.data or "").strip()
        values: dict[str, Any] = {
            "openai_compatible_base_url": (self.openai_compatible_base_url.data or "").strip(),
            "openai_compatible_models": tuple(
                filter(None, map(str.strip, (self.models.data or "").split(",")))
            ),
        }
        return values | ({"openai_compatible_api_key": key} if key else {})
