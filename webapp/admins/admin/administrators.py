"""Administrators: who there is, and what others may do with their accounts."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service
from webapp.admins.admin.actor import actor
from webapp.admins.forms import AdminForm, NewAdminForm
from webapp.admins.models import Admin, Role
from webapp.admins.permissions import Permission
from webapp.admins.words import role_description, role_name
from webapp.config import current_settings
from webapp.errors import Conflict, Invalid
from webapp.identity import service as identity
from webapp.identity.rules import Realm
from webapp.web.guards import current_admin, fresh, needs

blueprint = Blueprint(
    "administrators", __name__, url_prefix="/administrators", template_folder="../templates"
)
blueprint.add_app_template_filter(role_name, "role_name")
blueprint.add_app_template_filter(role_description, "role_description")


@blueprint.get("/")
@needs(Permission.ADMINS_READ)
def index() -> ResponseReturnValue:
    """List the administrators."""
    admins = service.all_admins()
    return render_template("admins/administrators.html", admins=admins, may_change=_may_change())


@blueprint.route("/new", methods=["GET", "POST"])
@needs(Permission.ADMINS_CHANGE)
@fresh
def create() -> ResponseReturnValue:
    """Add an administrator."""
    form = NewAdminForm()
    form.offer(_grantable_roles())
    if form.validate_on_submit():
        try:
            admin = service.add_admin(
                actor=actor(),
                username=form.username.data,
                email=form.email.data,
                password=form.password.data,
                role=form.role.data,
            )
        except (Invalid, Conflict) as error:
            form.apply_error(error)
        else:
            flash(_("%(name)s is an administrator now.", name=admin.username), "success")
            return redirect(url_for("dashboard.administrators.index"), 303)
    least = current_settings().admin_password_min_length
    page = render_template("admins/administrator_new.html", form=form, min_length=least)
    return page, 422 if form.errors else 200


@blueprint.get("/<admin_id>")
@needs(Permission.ADMINS_READ)
def show(admin_id: str) -> ResponseReturnValue:
    """Show an administrator."""
    admin = service.get_admin(admin_id)
    return _page(AdminForm(obj=admin, role=admin.role.public_id), admin)


@blueprint.post("/<admin_id>")
@needs(Permission.ADMINS_CHANGE)
@fresh
def change(admin_id: str) -> ResponseReturnValue:
    """Change name, address and role of an administrator."""
    admin = service.get_admin(admin_id)
    form = AdminForm()
    form.offer(_grantable_roles(admin.role))
    if form.validate_on_submit():
        try:
            service.change_admin(
                actor=actor(),
                public_id=admin_id,
                email=form.email.data,
                display_name=form.display_name.data,
                role_id=form.role.data,
            )
        except (Invalid, Conflict) as error:
            form.apply_error(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("dashboard.administrators.show", admin_id=admin_id), 303)
    return _page(form, admin)


@blueprint.post("/<admin_id>/disable")
@needs(Permission.ADMINS_CHANGE)
def disable(admin_id: str) -> ResponseReturnValue:
    """Disable an administrator."""
    return _do(service.disable_admin, admin_id, _("Disabled. Every session of theirs has ended."))


@blueprint.post("/<admin_id>/enable")
@needs(Permission.ADMINS_CHANGE)
def enable(admin_id: str) -> ResponseReturnValue:
    """Let an administrator sign in again."""
    return _do(service.enable_admin, admin_id, _("Enabled. They can sign in again."))


@blueprint.post("/<admin_id>/sessions/end")
@needs(Permission.ADMINS_CHANGE)
def end_sessions(admin_id: str) -> ResponseReturnValue:
    """Sign an administrator out everywhere."""
    return _do(service.end_sessions, admin_id, _("Signed out everywhere."))


@blueprint.post("/<admin_id>/second-factor/reset")
@needs(Permission.ADMINS_CHANGE)
@fresh
def reset_second_factor(admin_id: str) -> ResponseReturnValue:
    """Take a lost second factor away."""
    told = _("Two-step sign-in is off for them. They set it up anew at the next sign-in.")
    return _do(service.reset_second_factor, admin_id, told)


def _do(act: Callable[..., None], admin_id: str, told: str) -> ResponseReturnValue:
    """Do it and go back to the administrator's page, where a conflict is told as well."""
    act(actor=actor(), public_id=admin_id)
    flash(told, "success")
    return redirect(url_for("dashboard.administrators.show", admin_id=admin_id), 303)


def _page(form: AdminForm, admin: Admin) -> ResponseReturnValue:
    form.offer(_grantable_roles(admin.role))
    may_change = _may_change() and admin.id != current_admin.id and service.may_grant(actor(), admin.role)
    page = render_template(
        "admins/administrator.html",
        form=form,
        person=admin,
        may_change=may_change,
        two_step=identity.second_factor_is_on(Realm.ADMIN, admin.id),
    )
    return page, 422 if form.errors else 200


def _may_change() -> bool:
    return bool(current_admin.may(Permission.ADMINS_CHANGE))


def _grantable_roles(*also: Role) -> list[Role]:
    """Return the roles this administrator may give, and the one that is given already."""
    return [role for role in service.all_roles() if role in also or service.may_grant(actor(), role)]
