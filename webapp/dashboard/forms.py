"""The forms of the dashboard itself."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired

from webapp.web.forms import Form


class LoginForm(Form):
    """Name or address, and password."""

    login = StringField(_l("User name or e-mail"), validators=[DataRequired()])
    password = PasswordField(_l("Password"), validators=[DataRequired()])
