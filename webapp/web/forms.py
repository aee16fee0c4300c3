"""The form all pages build on."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, StringField
from wtforms.i18n import get_translations
from wtforms.validators import InputRequired, Length

from webapp.errors import AppError

CODE_FIELD_LENGTH: Final = 40  # room for a recovery code with hyphens and spaces


class _Translations:
    """WTForms' own messages in the reader's language."""

    def gettext(self, string: str) -> str:
        return str(self._catalogue().gettext(string))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return str(self._catalogue().ngettext(singular, plural, n))

    @staticmethod
    def _catalogue() -> Any:
        locale = str(get_locale() or "en")
        return get_translations([locale.partition("_")[0] if locale != "zh_CN" else "zh"])


class Form(FlaskForm):  # type: ignore[misc]
    """A form with a CSRF token, messages in the reader's language, and the service's refusals beside its fields."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """How the form is built."""

        def get_translations(self, form: object) -> _Translations:  # noqa: ARG002
            """Return the translations for built-in validators."""
            return _Translations()

    def apply_error(self, error: AppError) -> None:
        """Show a refusal beside the field it names, or above the form."""
        field: Field | None = self._fields.get(error.field) if error.field else None
        if field is None:
            self.form_errors.append(error.sentence)
        else:
            field.errors = [*field.errors, error.sentence]


class EmptyForm(Form):
    """A button."""


class CodeForm(Form):
    """A code: mailed, of an authenticator app, or for recovery; the second step of signing in, and turning it on."""

    code = StringField(_l("Code"), [InputRequired(_l("Fill this in.")), Length(max=CODE_FIELD_LENGTH)])
