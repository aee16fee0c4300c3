"""The list of users."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.accounts.admin import words
from webapp.accounts.admin.blueprint import blueprint
from webapp.accounts.administration import listing
from webapp.accounts.administration.filters import UserFilter
from webapp.accounts.rules import NEVER
from webapp.web.filters import icon
from webapp.web.guards import current_admin, needs
from webapp.web.times import Times

LIST = "dashboard.users.index"


@blueprint.get("/")
@needs("users.read")
def index() -> ResponseReturnValue:
    """Show a page of the users that the filter lets through."""
    chosen = UserFilter.read(request.args)
    page = listing.list_users(chosen, after=request.args.get("after"), before=request.args.get("before"))
    return render_template(
        "accounts/admin/list.html",
        chosen=chosen,
        page=page,
        never=NEVER,
        times=Times.of_reader(),
        counts=listing.counts(),
        counted_to=listing.COUNTED_TO,
        choices=words.filter_choices(),
        state_words=words.state_words,
        headings=_headings(chosen),
        ordered=words.order_words(chosen),
        **_rights(chosen),
        person_base=url_for(LIST),
        select_words=_("Select %(name)s", name="{}"),
        more_words=_("More for %(name)s", name="{}"),
        more_icon=icon("more", small=True),
        newer=_beside(chosen, before=page.previous_cursor),
        older=_beside(chosen, after=page.next_cursor),
    )


def _rights(chosen: UserFilter) -> dict[str, Any]:
    """Return what the administrator may do with the list."""
    query = urlencode(chosen.values)
    export = url_for("dashboard.users.export_page")
    return {
        "may_change": current_admin.may("users.change"),
        "may_import": current_admin.may("users.import"),
        "may_export": current_admin.may("users.export"),
        "export_url": f"{export}?{query}" if query else export,
    }


def _headings(chosen: UserFilter) -> list[dict[str, Any]]:
    """Return the sortable columns: a second click on one turns it round."""
    return [
        {
            "name": name,
            "label": label,
            "sorted": ("descending" if chosen.way == "down" else "ascending") if name == chosen.sort else "",
            "url": list_address(chosen, sort=name, way=_next_way(chosen, name)),
        }
        for name, label in (("name", _("User")), ("seen", _("Last seen")), ("joined", _("Joined")))
    ]


def _next_way(chosen: UserFilter, name: str) -> str:
    if name == chosen.sort:
        return "up" if chosen.way == "down" else "down"
    return "up" if name == "name" else "down"


def list_address(chosen: UserFilter, **more: str) -> str:
    """Return the address of the list with this filter."""
    values = chosen.values | more
    return f"{url_for(LIST)}?{urlencode(values)}" if values else url_for(LIST)


def _beside(chosen: UserFilter, **cursor: str | None) -> str:
    """Return the address of the page beside this one, empty where there is none."""
    known = {name: value for name, value in cursor.items() if value}
    return list_address(chosen, **known) if known else ""
