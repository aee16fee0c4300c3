"""The outbox: where mail stands. What is in a mail is not shown, for there may be a code in it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins.permissions import Permission
from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.mail import administration
from webapp.mail.models import MailMessage
from webapp.mail.words import purpose_words, state_words
from webapp.web.guards import current_admin, needs

blueprint = Blueprint("mail", __name__, url_prefix="/mail")


@blueprint.get("/")
@needs(Permission.MAIL_READ)
def index() -> ResponseReturnValue:
    """List the mails, newest first."""
    state, address = request.args.get("state", ""), request.args.get("address", "").strip()
    page = administration.list_mails(
        state=state, address=address, after=request.args.get("after"), before=request.args.get("before")
    )
    return render_template(
        "dashboard/mail.html",
        page=page,
        state=state,
        address=address,
        states=state_words(),
        purposes=purpose_words(),
        can_retry=administration.can_retry,
        can_cancel=administration.can_cancel,
        may_change=current_admin.may(Permission.MAIL_CHANGE),
    )


@blueprint.post("/<mail_id>/retry")
@needs(Permission.MAIL_CHANGE)
def retry(mail_id: str) -> ResponseReturnValue:
    """Send a mail again."""
    administration.retry(mail_id, _witness(Event.MAIL_RETRIED))
    flash(_("The mail is being sent again."), "success")
    return redirect(url_for("dashboard.mail.index"), 303)


@blueprint.post("/<mail_id>/cancel")
@needs(Permission.MAIL_CHANGE)
def cancel(mail_id: str) -> ResponseReturnValue:
    """Let a mail not go out."""
    administration.cancel(mail_id, _witness(Event.MAIL_CANCELLED))
    flash(_("The mail will not be sent."), "success")
    return redirect(url_for("dashboard.mail.index"), 303)


def _witness(event: Event) -> Callable[[MailMessage], None]:
    actor = current_admin.audit_party()

    def record(mail: MailMessage) -> None:
        whom = audit.Party("mail", mail.public_id, mail.to_address)
        audit.record(event, actor=actor, target=whom, after={"state": mail.state, "template": mail.template})

    return record
