"""The page of one user, and what administrators do to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.accounts import states
from webapp.accounts.admin import words
from webapp.accounts.admin.blueprint import blueprint
from webapp.accounts.admin.forms import ActForm
from webapp.accounts.administration import access, details
from webapp.accounts.models import User
from webapp.accounts.rules import NEVER
from webapp.accounts.states import get_user
from webapp.errors import AppError, Invalid, NotFound
from webapp.lib import useragents
from webapp.mail.words import purpose_words
from webapp.mail.words import state_words as mail_state_words
from webapp.web.guards import current_admin, fresh, needs

_REASONED = frozenset({"suspend"})


@blueprint.get("/<user_id>")
@needs("users.read")
def person(user_id: str) -> ResponseReturnValue:
    """Show one user."""
    found = details.details_of(get_user(user_id))
    return _person_page(found, link=None)


@blueprint.route("/<user_id>/<act>", methods=["GET", "POST"])
@needs("users.change")
def act_on(user_id: str, act: str) -> ResponseReturnValue:
    """Say what an act will do; once that is confirmed, do it."""
    user, form = get_user(user_id), ActForm()
    if act not in _acts():
        raise NotFound(_("There is no such act."))
    if form.validate_on_submit():
        try:
            reason = _checked_reason(act, form)
            _acts()[act](user, reason)
        except AppError as error:
            form.apply_error(error)
        else:
            flash(words.done_words()[act], "success")
            return redirect(url_for("dashboard.users.person", user_id=user_id), 303)
    page = render_template(
        "accounts/admin/act.html",
        user=user,
        act=words.one_act_words(act),
        form=form,
        reasoned=act in _REASONED,
    )
    return page, 422 if form.errors else 200


@blueprint.route("/<user_id>/link", methods=["GET", "POST"])
@needs("users.change")
@fresh
def one_time_link(user_id: str) -> ResponseReturnValue:
    """Make a link by which the user sets a password, and show it once, to be handed over."""
    user, form = get_user(user_id), ActForm()
    if form.validate_on_submit():
        try:
            link = states.reset_link(user, actor=current_admin)
            return _person_page(details.details_of(user), link=link)
        except AppError as error:
            form.apply_error(error)
    page = render_template(
        "accounts/admin/act.html", user=user, act=words.one_act_words("link"), form=form, reasoned=False
    )
    return page, 422 if form.errors else 200


def _acts() -> dict[str, Callable[[User, str], Any]]:
    actor = current_admin
    return {
        "suspend": lambda user, reason: states.suspend(user, actor=actor, reason=reason),
        "restore": lambda user, _reason: states.restore(user, actor=actor),
        "unlock": lambda user, _reason: states.unlock(user, actor=actor),
        "sessions": lambda user, _reason: states.end_sessions(user, actor=actor),
        "tokens": lambda user, _reason: access.end_tokens(user, actor=actor),
        "reset": lambda user, _reason: states.start_reset(user, actor=actor),
    }


def _checked_reason(act: str, form: ActForm) -> str:
    reason = " ".join((form.reason.data or "").split())
    if act in _REASONED and not reason:
        raise Invalid(_("Say why; whoever reads the audit log will want to know."), field="reason")
    return reason


def _person_page(found: details.Details, link: str | None) -> ResponseReturnValue:
    return render_template(
        "accounts/admin/person.html",
        found=found,
        user=found.user,
        link=link,
        never=NEVER,
        state_words=words.state_words,
        outcomes=words.outcome_words(),
        device=useragents.device,
        mail_states=mail_state_words(),
        mail_purposes=purpose_words(),
        may_change=current_admin.may("users.change"),
        may_read_audit=current_admin.may("audit.read"),
    )
