"""Announcements at the top of pages, and putting one away."""

from __future__ import annotations

from flask import Blueprint, Flask, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.announcements import service, showing
from webapp.announcements.showing import Notice
from webapp.identity.rules import Realm
from webapp.web.redirects import safe_next
from webapp.web.requests import in_admin_area

blueprint = Blueprint("announcements", __name__, template_folder="templates")


def init_app(app: Flask) -> None:
    """Mount the page, and let templates call `announcements()`."""
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"announcements": current_notices, "dismiss_address": dismiss_address})


def current_notices() -> list[Notice]:
    """Return what the page at hand is to show; nothing where the database is better left alone."""
    if g.get("degraded"):
        return []
    if in_admin_area():
        admin = g.get("admin")
        return showing.notices_for(Realm.ADMIN, admin.id) if admin else showing.notices_for(None, None)
    if current_user.is_authenticated:
        return showing.notices_for(Realm.USER, current_user.id)
    return showing.notices_for(None, None)


def dismiss_address(announcement_id: str) -> str:
    """Return where the reader of the page at hand puts an announcement away; empty for somebody signed out."""
    if in_admin_area():
        return url_for("dashboard.notices.dismiss", announcement_id=announcement_id) if g.get("admin") else ""
    signed_in = current_user.is_authenticated
    return url_for("announcements.dismiss", announcement_id=announcement_id) if signed_in else ""


@blueprint.post("/announcements/<announcement_id>/dismiss")
def dismiss(announcement_id: str) -> ResponseReturnValue:
    """Put an announcement away, on the account."""
    service.dismiss(announcement_id, Realm.USER, current_user.id)
    return redirect(safe_next(url_for("site.home")), 303)
