"""One act on many users: the page that tells what it will do, and the page that tells what it did."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.accounts.admin import words
from webapp.accounts.admin.blueprint import blueprint
from webapp.accounts.admin.forms import ActForm
from webapp.accounts.admin.listing import list_address
from webapp.accounts.administration import bulk
from webapp.accounts.administration.bulk import Act, Selection
from webapp.accounts.administration.filters import UserFilter
from webapp.errors import Invalid
from webapp.web.guards import current_admin, needs
from webapp.web.limits import limit


@blueprint.post("/bulk")
@needs("users.change")
def preview_bulk() -> ResponseReturnValue:
    """Tell what the act would do, and to whom; changes nothing."""
    act, selection = _act(), _selection()
    return _preview_page(act, selection, ActForm(formdata=None))


@blueprint.post("/bulk/apply")
@needs("users.change")
@limit("bulk")
def apply_bulk() -> ResponseReturnValue:
    """Do it, and tell what came of it for each."""
    act, selection, form = _act(), _selection(), ActForm()
    if not form.validate():
        return _preview_page(act, selection, form)
    try:
        results = bulk.carry_out(act, selection, actor=current_admin, reason=form.reason.data or "")
    except Invalid as error:
        if error.field != "reason":
            raise
        form.apply_error(error)
        return _preview_page(act, selection, form)
    back = list_address(selection.chosen or _filter_behind())
    done = sum(each.done for each in results)
    return render_template(
        "accounts/admin/bulk_results.html", act=words.act_words(act), results=results, done=done, back=back
    )


def _preview_page(act: Act, selection: Selection, form: ActForm) -> ResponseReturnValue:
    page = render_template(
        "accounts/admin/bulk_preview.html",
        act=words.act_words(act),
        act_name=act.value,
        selection=selection,
        seen=bulk.preview(act, selection),
        filter_values=(selection.chosen or _filter_behind()).values,
        form=form,
        needs_reason=act.needs_reason,
        back=list_address(selection.chosen or _filter_behind()),
    )
    return page, 422 if form.errors else 200


def _act() -> Act:
    name = request.form.get("act", "")
    if name not in set(Act):
        raise Invalid(_("Choose what to do with the users."), field="act", code="act_unknown")
    return Act(name)


def _selection() -> Selection:
    """Return who is meant: the rows that were checked, or everybody whom the filter of the page lets through."""
    if request.form.get("everybody") == "yes":
        return Selection(chosen=_filter_behind())
    return Selection(public_ids=tuple(dict.fromkeys(request.form.getlist("user"))))


def _filter_behind() -> UserFilter:
    """Return the filter of the list that the form was sent from."""
    prefix = "filter_"
    given = {
        name.removeprefix(prefix): value for name, value in request.form.items() if name.startswith(prefix)
    }
    return UserFilter.read(given)
