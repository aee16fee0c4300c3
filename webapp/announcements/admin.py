"""The dashboard's pages of announcements."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from webapp.announcements import service, showing
from webapp.announcements.forms import AUDIENCES, LEVELS, AnnouncementForm, here
from webapp.announcements.models import Announcement
from webapp.announcements.rules import Stage
from webapp.errors import AppError
from webapp.identity.rules import Realm
from webapp.lib import clock
from webapp.web.guards import ANY_ADMIN, current_admin, needs
from webapp.web.redirects import safe_next

blueprint = Blueprint("notices", __name__, url_prefix="/announcements", template_folder="templates")
LIST = "dashboard.notices.index"


@blueprint.get("/")
@needs("announcements.read")
def index() -> ResponseReturnValue:
    """List the announcements, the newest first."""
    page = service.announcements(after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "announcements/list.html",
        page=page,
        stages=stage_words(),
        audiences=AUDIENCES,
        may_change=current_admin.may("announcements.change"),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@needs("announcements.change")
def create() -> ResponseReturnValue:
    """Write an announcement, look at it, and publish it."""
    form = AnnouncementForm(starts_at=here(clock.utc_now()))
    if form.validate_on_submit() and "preview" not in request.form:
        try:
            service.create(form.draft(), actor=current_admin)
        except AppError as error:
            form.apply_error(error)
        else:
            return _done(_("The announcement is saved."))
    return _form_page(form, None)


@blueprint.route("/<announcement_id>", methods=["GET", "POST"])
@needs("announcements.change")
def edit(announcement_id: str) -> ResponseReturnValue:
    """Change an announcement."""
    found = service.get_announcement(announcement_id)
    form = AnnouncementForm(**_values(found))
    if form.validate_on_submit() and "preview" not in request.form:
        try:
            service.change(announcement_id, form.draft(), actor=current_admin)
        except AppError as error:
            form.apply_error(error)
        else:
            return _done(_("The announcement is saved."))
    return _form_page(form, found)


@blueprint.post("/<announcement_id>/delete")
@needs("announcements.change")
def remove(announcement_id: str) -> ResponseReturnValue:
    """Delete an announcement."""
    service.remove(announcement_id, actor=current_admin)
    return _done(_("The announcement is deleted."))


@blueprint.post("/<announcement_id>/dismiss")
@needs(ANY_ADMIN)
def dismiss(announcement_id: str) -> ResponseReturnValue:
    """Put an announcement away, on the administrator's account."""
    service.dismiss(announcement_id, Realm.ADMIN, current_admin.id)
    return redirect(safe_next(url_for("dashboard.overview.index")), 303)


def stage_words() -> dict[str, tuple[str, str]]:
    """Return how the stages are called, and the kind of badge each has; the normal one needs none."""
    return {
        Stage.PLANNED.value: (_("Planned"), "live"),
        Stage.SHOWN.value: (_("Shown now"), ""),
        Stage.PAST.value: (_("Past"), "plain"),
    }


def _values(found: Announcement) -> dict[str, Any]:
    return {
        "text_en": found.text_en,
        "text_zh": found.text_zh,
        "audience": found.audience,
        "level": found.level,
        "starts_at": here(found.starts_at),
        "ends_at": here(found.ends_at) if found.ends_at else None,
    }


def _done(words: str) -> ResponseReturnValue:
    showing.board().changed()
    flash(words, "success")
    return redirect(url_for(LIST), 303)


def _form_page(form: AnnouncementForm, found: Announcement | None) -> ResponseReturnValue:
    texts = [("en", form.text_en.data or ""), ("zh-CN", form.text_zh.data or "")]
    page = render_template(
        "announcements/form.html",
        form=form,
        found=found,
        previews=[(language, showing.preview(text)) for language, text in texts if text.strip()],
        level=form.level.data if form.level.data in LEVELS else "info",
        zone=str(get_timezone()),
    )
    return page, 422 if form.errors else 200
