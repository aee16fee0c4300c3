"""The pages of one's own account."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from webapp.accounts import rules, service
from webapp.accounts.forms import AvatarForm, PasswordForm, PreferencesForm, ProfileForm
from webapp.accounts.views.blueprint import blueprint
from webapp.config import current_settings
from webapp.errors import AppError, Invalid
from webapp.identity import service as identity
from webapp.web.limits import limit

IMAGE_POLICY = "default-src 'none'; sandbox"
IMAGE_SECONDS = 3600


@blueprint.route("/profile", methods=["GET", "POST"])
def profile() -> ResponseReturnValue:
    """Show and change the profile."""
    form = ProfileForm(obj=current_user)
    if form.validate_on_submit():
        try:
            service.update_profile(
                current_user, display_name=form.display_name.data, username=form.username.data
            )
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("accounts.profile"), 303)
    return _profile_page(form, AvatarForm(), 422 if form.errors else 200)


@blueprint.post("/profile/avatar")
@limit("upload")
def change_avatar() -> ResponseReturnValue:
    """Put another picture in the place of the present one, or take it away."""
    form = AvatarForm()
    try:
        if "remove" in request.form:
            service.remove_avatar(current_user)
        elif form.avatar.data:
            service.set_avatar(current_user, form.avatar.data.stream)
        else:
            raise Invalid(_("Choose a picture first."), field="avatar")
    except AppError as error:
        form.apply_error(error)
        return _profile_page(ProfileForm(formdata=None, obj=current_user), form, error.status)
    return redirect(url_for("accounts.profile"), 303)


@blueprint.route("/profile/preferences", methods=["GET", "POST"])
def preferences() -> ResponseReturnValue:
    """Show and change language and time zone; the theme belongs to the device."""
    form = PreferencesForm(obj=current_user)
    form.offer_timezones(service.timezones())
    if form.validate_on_submit():
        service.set_preferences(current_user, locale=form.locale.data, timezone=form.timezone.data)
        flash(_("Saved."), "success")
        return redirect(url_for("accounts.preferences"), 303)
    page = render_template("accounts/preferences.html", form=form, tab="preferences")
    return page, 422 if form.errors else 200


@blueprint.route("/profile/password", methods=["GET", "POST"])
@limit("password_change")
def change_password() -> ResponseReturnValue:
    """Change the password; other devices are signed out."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            service.change_password(
                current_user,
                current=form.current.data,
                new=form.new.data,
                session_id=identity.current_session_id(),
            )
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("Your password is changed. Your other devices are signed out."), "success")
            return redirect(url_for("accounts.security"), 303)
    min_length = current_settings().password_min_length
    page = render_template("accounts/password.html", form=form, tab="security", min_length=min_length)
    return page, 422 if form.errors else 200


@blueprint.get("/avatars/<avatar_id>")
def avatar(avatar_id: str) -> ResponseReturnValue:
    """Send a picture, to people who are signed in."""
    response = send_file(service.avatar_path(avatar_id), mimetype="image/webp", max_age=IMAGE_SECONDS)
    response.headers["Content-Security-Policy"] = IMAGE_POLICY
    response.headers["Cache-Control"] = f"private, max-age={IMAGE_SECONDS}"
    return response


def _profile_page(form: ProfileForm, avatar_form: AvatarForm, status: int) -> ResponseReturnValue:
    page = render_template(
        "accounts/profile.html",
        form=form,
        avatar_form=avatar_form,
        tab="profile",
        avatar_limit_mb=rules.AVATAR_MAX_BYTES // 1_048_576,
    )
    return page, status
