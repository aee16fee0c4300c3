"""The form of some settings, built from the model; the model itself judges what is typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, Field, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Email

from webapp.settings.reading import SettingState
from webapp.settings.values import Kind, choices_of
from webapp.settings.words import CHOICES, UNITS, best_unit, label_of
from webapp.web.forms import Form

UNIT: Final = "__unit"
REMOVE: Final = "__remove"
VERSION: Final = "__version"


class TestMailForm(Form):
    """Where a test mail goes."""

    __test__ = False  # for pytest, which collects classes of such names

    to = EmailField(_l("Send it to"), validators=[DataRequired(), Email()])


class SettingsForm(Form):
    """Fields named as the settings; those of durations have a unit, those of secrets a tick to remove them."""

    def typed(self, names: Iterable[str]) -> dict[str, Any]:
        """Return what was typed into the fields of these settings; secrets only where there is something to do."""
        values: dict[str, Any] = {}
        for name in names:
            field = self._fields[name]
            if isinstance(field, PasswordField):
                if self._fields[name + REMOVE].data:
                    values[name] = ""
                elif field.data:
                    values[name] = field.data.strip("\r\n") if name == "mail_password" else field.data.strip()
            elif isinstance(field, BooleanField):
                values[name] = bool(field.data)
            elif isinstance(field, TextAreaField):
                lines = (field.data or "").replace(",", "\n").splitlines()
                values[name] = [line.strip() for line in lines if line.strip()]
            elif name + UNIT in self._fields:
                values[name] = _minutes(field.data or "", self._fields[name + UNIT].data)
            else:
                values[name] = (field.data or "").strip()
        return values

    def apply_faults(self, faults: Mapping[str, str]) -> None:
        """Show each sentence beside its setting, or above the form where that is not on it."""
        for name, sentence in faults.items():
            if name in self._fields:
                self._fields[name].errors = [sentence]
            else:
                self.form_errors.append(f"{label_of(name)}: {sentence}")


def form_of(states: Iterable[SettingState], formdata: Any = None) -> SettingsForm:
    """Return the form of these settings, filled with what is in force or with what was typed."""
    fields: dict[str, Field] = {}
    data: dict[str, Any] = {}
    for state in states:
        _add(state, fields, data)
    cls = type("SettingsForm", (SettingsForm,), fields)
    form: SettingsForm = cls(formdata=formdata, data=data)
    return form


def _add(state: SettingState, fields: dict[str, Field], data: dict[str, Any]) -> None:
    name, label, value = state.name, label_of(state.name), state.value
    if state.kind is Kind.SECRET:
        fields[name] = PasswordField(label)
        fields[name + REMOVE] = BooleanField(_l("Remove it"))
    elif state.kind is Kind.SWITCH:
        fields[name], data[name] = BooleanField(label), value
    elif state.kind is Kind.CHOICE:
        words = CHOICES.get(name, {})
        choices = [SelectChoice(each, words.get(each, each)) for each in choices_of(name)]
        fields[name], data[name] = SelectField(label, choices=choices), value
    elif state.kind is Kind.NAMES:
        fields[name], data[name] = TextAreaField(label), "\n".join(value)
    elif name.endswith("_minutes"):
        unit = best_unit(value)
        choices = [SelectChoice(str(each), words) for each, words in UNITS.items()]
        fields[name], data[name] = StringField(label), str(value // unit)
        fields[name + UNIT], data[name + UNIT] = SelectField(_l("Unit"), choices=choices), str(unit)
    else:
        fields[name] = StringField(label)
        data[name] = f"{value:g}" if isinstance(value, float) else str(value)


def _minutes(count: str, unit: str) -> Any:
    """Return the minutes typed; what is no whole number stays as it is, to be judged with everything else."""
    text = count.strip()
    if text.isascii() and text.isdigit() and len(text) < 10 and unit in {str(each) for each in UNITS}:
        return int(text) * int(unit)
    return text or "?"
