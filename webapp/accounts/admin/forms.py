"""The forms of the dashboard's pages of users."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from webapp.accounts import rules
from webapp.accounts.administration.bulk import REASON_MAX_LENGTH
from webapp.identity.rules import EMAIL_MAX_LENGTH
from webapp.web.forms import Form
from webapp.web.locale import LANGUAGES

_REQUIRED = _l("Fill this in.")


class ActForm(Form):
    """Doing something to one user or to many; some acts want a reason."""

    reason = StringField(_l("Reason"), [Length(max=REASON_MAX_LENGTH)])


class InviteForm(Form):
    """Adding one user by an invitation."""

    email = EmailField(_l("E-mail"), [InputRequired(_REQUIRED), Length(max=EMAIL_MAX_LENGTH)])
    username = StringField(_l("User name"), [InputRequired(_REQUIRED), Length(max=rules.USERNAME_MAX_LENGTH)])
    display_name = StringField(_l("Name"), [Length(max=rules.DISPLAY_NAME_MAX_LENGTH)])
    locale = SelectField(
        _l("Language of the mail"),
        choices=[
            SelectChoice("", _l("As this site")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
        default="",
    )


class ImportForm(Form):
    """Handing over a file to be judged."""

    file = FileField(_l("CSV file"))
