"""Roles: those that come with the program, and those composed here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service
from webapp.admins.admin.actor import actor
from webapp.admins.forms import RoleForm
from webapp.admins.models import Role
from webapp.admins.permissions import Permission
from webapp.admins.words import PERMISSION_GROUPS
from webapp.errors import Conflict, Invalid
from webapp.web.guards import current_admin, fresh, needs

blueprint = Blueprint("roles", __name__, url_prefix="/roles", template_folder="../templates")


@blueprint.get("/")
@needs(Permission.ADMINS_READ)
def index() -> ResponseReturnValue:
    """List the roles."""
    may_change = current_admin.may(Permission.ROLES_CHANGE)
    return render_template(
        "admins/roles.html", roles=service.all_roles(), holders=service.holders(), may_change=may_change
    )


@blueprint.route("/new", methods=["GET", "POST"])
@needs(Permission.ROLES_CHANGE)
@fresh
def create() -> ResponseReturnValue:
    """Compose a role."""
    form = RoleForm()
    if form.validate_on_submit():
        try:
            role = service.add_role(actor=actor(), **_values(form))
        except (Invalid, Conflict) as error:
            form.apply_error(error)
        else:
            flash(_("The role %(name)s is made.", name=role.name), "success")
            return redirect(url_for("dashboard.roles.index"), 303)
    return _page(form, None)


@blueprint.get("/<role_id>")
@needs(Permission.ADMINS_READ)
def show(role_id: str) -> ResponseReturnValue:
    """Show what a role permits."""
    role = service.get_role_by_id(role_id)
    return _page(RoleForm(obj=role, permissions=sorted(role.granted)), role)


@blueprint.post("/<role_id>")
@needs(Permission.ROLES_CHANGE)
@fresh
def change(role_id: str) -> ResponseReturnValue:
    """Change a role."""
    role = service.get_role_by_id(role_id)
    form = RoleForm()
    if form.validate_on_submit():
        try:
            service.change_role(actor=actor(), public_id=role_id, **_values(form))
        except (Invalid, Conflict) as error:
            form.apply_error(error)
        else:
            flash(_("Saved. It holds at once for everybody with this role."), "success")
            return redirect(url_for("dashboard.roles.index"), 303)
    return _page(form, role)


@blueprint.post("/<role_id>/delete")
@needs(Permission.ROLES_CHANGE)
def delete(role_id: str) -> ResponseReturnValue:
    """Delete a role that nobody has."""
    service.delete_role(actor=actor(), public_id=role_id)
    flash(_("The role is deleted."), "success")
    return redirect(url_for("dashboard.roles.index"), 303)


def _values(form: RoleForm) -> dict[str, Any]:
    return {
        "name": form.name.data,
        "description": form.description.data or "",
        "permissions": form.permissions.data or [],
    }


def _page(form: RoleForm, role: Role | None) -> ResponseReturnValue:
    grantable = service.grantable(actor())
    may_change = current_admin.may(Permission.ROLES_CHANGE) and (
        role is None or (not role.built_in and role.id != current_admin.role_id and role.granted <= grantable)
    )
    page = render_template(
        "admins/role.html",
        form=form,
        role=role,
        groups=PERMISSION_GROUPS,
        grantable=grantable,
        may_change=may_change,
        holders=service.holders().get(role.id, 0) if role else 0,
    )
    return page, 422 if form.errors else 200
