"""The settings as administrators see, search and change them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.settings import service
from webapp.settings.faults import SettingsConflict, SettingsInvalid
from webapp.settings.forms import VERSION, SettingsForm, TestMailForm, form_of
from webapp.settings.links import links_of
from webapp.settings.models import SettingChange
from webapp.settings.reading import SettingState, matching, states
from webapp.settings.rules import CHANGEABLE, GROUPS, HISTORY_PAGE, OF_PROVIDERS
from webapp.settings.values import Kind
from webapp.settings.words import GROUP_LABELS, WORDS, in_words, label_of
from webapp.web.guards import current_admin, needs
from webapp.web.limits import limit
from webapp.web.locale import choose_locale

blueprint = Blueprint("settings", __name__, url_prefix="/settings", template_folder="templates")

SEARCH_MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Scope:
    """Which settings a page is about: a group, or what a search found."""

    group: str | None
    q: str
    names: tuple[str, ...]

    @property
    def url(self) -> str:
        """The address of this page."""
        return url_for("dashboard.settings.index", group=self.group, q=self.q or None)


@blueprint.get("/")
@needs("settings.read")
def index() -> ResponseReturnValue:
    """Show a group of settings, or those that have the words searched for."""
    scope = _scope()
    return _page(scope, states(scope.names))


@blueprint.post("/")
@needs("settings.change")
def save() -> ResponseReturnValue:
    """Change what was typed, all of it or nothing."""
    scope = _scope()
    seen = _seen_versions(scope)
    shown = states(scope.names)
    form = form_of(shown, request.form)
    typed = form.typed(seen)
    try:
        changed = service.change(current_admin, typed, expected_versions=seen)
    except (SettingsInvalid, SettingsConflict) as error:
        form.apply_faults(error.faults)
        return _page(scope, states(scope.names), form), error.status
    _tell(changed, typed)
    return redirect(scope.url, 303)


@blueprint.get("/<name>/history")
@needs("settings.read")
def history(name: str) -> ResponseReturnValue:
    """Show the versions of a setting."""
    _check_name(name)
    before = request.args.get("before", type=int)
    (state,) = states([name])
    changes = service.history(name, before=before, limit=HISTORY_PAGE + 1)
    older = changes[HISTORY_PAGE - 1].version if len(changes) > HISTORY_PAGE else None
    return render_template(
        "settings/history.html",
        state=state,
        versions=[_version(state, each) for each in changes[:HISTORY_PAGE]],
        older=older,
        first_page=before is None,
        group=next(group for group, names in GROUPS.items() if name in names),
        editable=_editable(state),
        **_words(),
    )


@blueprint.post("/<name>/revert")
@needs("settings.change")
def revert(name: str) -> ResponseReturnValue:
    """Give a setting the value of an earlier version, or of the environment."""
    _check_name(name)
    seen = request.form.get("seen", type=int)
    version = request.form.get("version", type=int)
    if seen is None:
        abort(400)
    try:
        if version is None:
            changed = service.change(current_admin, {name: None}, expected_versions={name: seen})
        else:
            changed = service.revert(current_admin, name, version, expected_version=seen)
    except (SettingsInvalid, SettingsConflict) as error:
        flash(error.sentence, "error")
    else:
        _tell(changed, {name: None})
    return redirect(url_for("dashboard.settings.history", name=name), 303)


@blueprint.post("/test-mail")
@needs("settings.change")
@limit("mail_test")
def test_mail() -> ResponseReturnValue:
    """Send a mail with the settings in force and tell what became of it."""
    form = TestMailForm()
    result: tuple[bool, str] | None = None
    if form.validate_on_submit():
        result = service.send_test_mail(current_admin, to=form.to.data, locale=choose_locale())
    scope = Scope("mail", "", GROUPS["mail"])
    page = _page(scope, states(scope.names), test_form=form, test_result=result)
    return page, 422 if form.errors else 200


def _scope() -> Scope:
    q = " ".join(request.args.get("q", "").split())[:SEARCH_MAX_LENGTH]
    if q:
        return Scope(None, q, tuple(matching(q)))
    group = request.args.get("group", next(iter(GROUPS)))
    if group not in GROUPS:
        abort(404)
    return Scope(group, "", GROUPS[group])


def _seen_versions(scope: Scope) -> dict[str, int]:
    """Return the settings that were on the page that was sent, with the versions it showed."""
    seen = {name: request.form.get(name + VERSION, type=int) for name in scope.names}
    return {name: version for name, version in seen.items() if version is not None}


def _page(
    scope: Scope,
    shown: list[SettingState],
    form: SettingsForm | None = None,
    *,
    test_form: TestMailForm | None = None,
    test_result: tuple[bool, str] | None = None,
) -> str:
    sections = [
        (group, [state for state in shown if state.name in names])
        for group, names in GROUPS.items()
        if any(state.name in names for state in shown)
    ]
    if test_form is None:
        test_form = TestMailForm(formdata=None, to=current_admin.email)
    return render_template(
        "settings/index.html",
        scope=scope,
        sections=sections,
        form=form if form is not None else form_of(shown),
        test_form=test_form,
        test_result=test_result,
        links=links_of(scope.group, current_admin),
        editable=_editable,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"groups": GROUP_LABELS, "words": WORDS, "in_words": in_words, "label_of": label_of}


def _editable(state: SettingState) -> bool:
    return bool(current_admin.may("settings.change")) and (
        state.name not in OF_PROVIDERS or bool(current_admin.may("providers.change"))
    )


def _version(state: SettingState, change: SettingChange) -> dict[str, Any]:
    """Return a version as its row shows it; the text of a secret is not kept, so nobody can go back to it."""
    before, after = json.loads(change.before), json.loads(change.after)
    return {
        "number": change.version,
        "created_at": change.created_at,
        "author": change.author_name,
        "before": in_words(state.name, before),
        "after": in_words(state.name, after),
        "in_force": change.version == state.version,
        "kept": not (state.kind is Kind.SECRET and after),
    }


def _check_name(name: str) -> None:
    if name not in CHANGEABLE:
        abort(404)


def _tell(changed: list[str], asked: dict[str, Any]) -> None:
    for name in changed:
        if name not in asked:
            sentence = _(
                "“%(name)s” was removed, because it was meant for another address. Type the one for the new address.",
                name=label_of(name),
            )
            flash(sentence, "warning")
    flash(_("Saved.") if changed else _("Nothing was changed."), "success")
