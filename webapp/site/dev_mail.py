"""Mail that would have been sent, shown to the developer; exists only where there is no mail server."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.config import current_settings
from webapp.mail import outbox
from webapp.mail.models import MailMessage
from webapp.web.guards import public

blueprint = Blueprint("dev_mail", __name__, url_prefix="/dev/mail", template_folder="templates")

SHOWN = 50
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@blueprint.before_request
def _only_without_a_mail_server() -> None:
    if not current_settings().shows_mail:
        abort(404)


@blueprint.app_context_processor
def _for_pages_that_wait_for_a_code() -> dict[str, str]:
    return {"mail_page": url_for("dev_mail.index") if current_settings().shows_mail else ""}


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """List the newest mails."""
    mails = [
        (message, outbox.render(message), context.get("code", ""))
        for message in outbox.newest(SHOWN)
        if (context := outbox.unseal(message))
    ]
    return render_template("site/dev_mail.html", mails=mails)


@blueprint.get("/<mail_id>")
@public
def message(mail_id: str) -> ResponseReturnValue:
    """Show the text of one mail."""
    found = _get(mail_id)
    return render_template("site/dev_mail_message.html", mail=found, letter=outbox.render(found))


@blueprint.get("/<mail_id>/html")
@public
def html_part(mail_id: str) -> ResponseReturnValue:
    """Send the HTML part as a page of its own that can do nothing."""
    response = Response(outbox.render(_get(mail_id)).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _get(mail_id: str) -> MailMessage:
    found = outbox.find(mail_id)
    if found is None:
        abort(404)
    return found
