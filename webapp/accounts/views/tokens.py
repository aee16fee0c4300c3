"""The page of API tokens."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.accounts import service
from webapp.accounts.forms import TokenForm
from webapp.accounts.views.blueprint import blueprint
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.lib import clock
from webapp.web.guards import fresh
from webapp.web.limits import limit

PAGE = "accounts.tokens"


@blueprint.get("/profile/tokens")
def tokens() -> ResponseReturnValue:
    """List the tokens."""
    return _page(TokenForm(formdata=None))


@blueprint.post("/profile/tokens")
@limit("token_create")
@fresh
def create_token() -> ResponseReturnValue:
    """Make a token and show it, once."""
    form = TokenForm()
    if form.validate_on_submit():
        try:
            raw, row = service.create_token(
                current_user,
                name=form.name.data,
                scopes=form.scopes.data,
                days=form.days.data,
                networks=form.networks.data or "",
            )
        except AppError as error:
            form.apply_error(error)
        else:
            return render_template("accounts/token_new.html", tab="tokens", token=raw, row=row)
    return _page(form), 422


@blueprint.post("/profile/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> ResponseReturnValue:
    """Let a token do nothing any more."""
    row = identity.revoke_token(current_user, token_id, actor=current_user)
    flash(_("The token %(name)s works no more.", name=row.name), "success")
    return redirect(url_for(PAGE), 303)


def _page(form: TokenForm) -> str:
    return render_template(
        "accounts/tokens.html",
        tab="tokens",
        form=form,
        tokens=identity.tokens_of(Realm.USER, current_user.id),
        now=clock.utc_now(),
    )
