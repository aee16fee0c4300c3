"""The pages of accounts."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from webapp.accounts import rules, service
from webapp.accounts.forms import AvatarForm, ForgotForm, LoginForm, PasswordForm, ProfileForm, RegisterForm, ResetForm
from webapp.config import current_settings
from webapp.errors import AppError
from webapp.identity import service as identity
from webapp.identity.rules import CODE_RESEND_SECONDS
from webapp.web.guards import public
from webapp.web.limits import limit
from webapp.web.redirects import safe_next
from webapp.web.requests import client_address

blueprint = Blueprint("accounts", __name__, template_folder="templates")

IMAGE_POLICY = "default-src 'none'; sandbox"


@blueprint.route("/register", methods=["GET", "POST"])
@public
@limit("mail_code")
def register() -> ResponseReturnValue:
    """Create an account: the first button sends the code, the second uses it."""
    if current_user.is_authenticated:
        return redirect(url_for("chat.index"))
    form = RegisterForm(email=session.get("register_email", ""))
    step = "code" if request.args.get("step") == "code" and form.email.data else "address"
    if request.method == "POST":
        try:
            if "send" in request.form:
                return _send_register_code(form)
            step = "code"
            if form.validate():
                return _register(form)
        except AppError as error:
            form.apply_error(error)
            step = "address" if error.field == "email" else step
    return _register_page(form, step)


@blueprint.route("/login", methods=["GET", "POST"])
@public
@limit("login_address")
@limit("login_account")
def login() -> ResponseReturnValue:
    """Sign in."""
    if current_user.is_authenticated:
        return redirect(safe_next(url_for("chat.index")))
    form = LoginForm()
    if form.validate_on_submit():
        try:
            return _sign_in(form.login.data, form.password.data, keep=form.keep.data)
        except AppError as error:
            form.apply_error(error)
    return render_template("accounts/login.html", form=form, next=safe_next("")), 422 if form.errors else 200


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Sign out: the session ends on the server, whatever becomes of the cookie."""
    service.log_out(identity.current_session_id())
    logout_user()
    session.clear()
    return redirect(url_for("accounts.login"), 303)


@blueprint.route("/password/forgot", methods=["GET", "POST"])
@public
@limit("mail_code")
def forgot_password() -> ResponseReturnValue:
    """Ask for a code to set a new password."""
    form = ForgotForm()
    if form.validate_on_submit():
        try:
            service.ask_reset_code(form.email.data)
        except AppError as error:
            form.apply_error(error)
        else:
            session["reset_email"] = form.email.data
            return redirect(url_for("accounts.reset_password"), 303)
    return render_template("accounts/forgot.html", form=form), 422 if form.errors else 200


@blueprint.route("/password/reset", methods=["GET", "POST"])
@public
@limit("code_check")
def reset_password() -> ResponseReturnValue:
    """Set a new password with the code."""
    form = ResetForm(email=session.get("reset_email", ""))
    if form.validate_on_submit():
        try:
            service.reset_password(email=form.email.data, code=form.code.data, password=form.password.data)
        except AppError as error:
            form.apply_error(error)
        else:
            session.clear()
            flash(_("Your password is set. Sign in with it; all other devices are signed out."), "info")
            return redirect(url_for("accounts.login"), 303)
    return render_template("accounts/reset.html", form=form, **_code_context()), 422 if form.errors else 200


@blueprint.route("/profile", methods=["GET", "POST"])
def profile() -> ResponseReturnValue:
    """Show and change the profile."""
    form = ProfileForm(obj=current_user)
    form.timezone.choices = [("", _("As this site")), *((name, name.replace("_", " ")) for name in service.timezones())]
    if form.validate_on_submit():
        try:
            service.update_profile(
                current_user,
                display_name=form.display_name.data,
                username=form.username.data,
                locale=form.locale.data,
                timezone=form.timezone.data,
            )
        except AppError as error:
            form.apply_error(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("accounts.profile"), 303)
    return _profile_page(form, AvatarForm())


@blueprint.post("/profile/avatar")
@limit("upload")
def change_avatar() -> ResponseReturnValue:
    """Put another picture in the place of the present one, or take it away."""
    form = AvatarForm()
    upload = request.files.get("avatar")
    try:
        if "remove" in request.form:
            service.remove_avatar(current_user)
        elif upload is not None and upload.filename:
            service.set_avatar(current_user, upload.stream)
    except AppError as error:
        form.apply_error(error)
        profile_form = ProfileForm(formdata=None, obj=current_user)
        profile_form.timezone.choices = [("", _("As this site")), *((z, z) for z in service.timezones())]
        return _profile_page(profile_form, form, error.status)
    return redirect(url_for("accounts.profile"), 303)


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
            return redirect(url_for("accounts.profile"), 303)
    page = render_template(
        "accounts/password.html", form=form, tab="password", min_length=current_settings().password_min_length
    )
    return page, 422 if form.errors else 200


@blueprint.get("/avatars/<avatar_id>")
def avatar(avatar_id: str) -> ResponseReturnValue:
    """Send a picture, to people who are signed in."""
    response = send_file(service.avatar_path(avatar_id), mimetype="image/webp", max_age=3600)
    response.headers["Content-Security-Policy"] = IMAGE_POLICY
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _send_register_code(form: RegisterForm) -> ResponseReturnValue:
    service.ask_register_code(form.email.data or "")
    session["register_email"] = form.email.data
    if "again" in request.form:  # a second code: what is typed beside it stays
        return _register_page(form, "code")
    return redirect(url_for("accounts.register", step="code"), 303)


def _register(form: RegisterForm) -> ResponseReturnValue:
    service.register(
        email=form.email.data,
        username=form.username.data,
        password=form.password.data,
        code=form.code.data,
        timezone=_known_zone(form.timezone.data),
    )
    return _sign_in(form.email.data, form.password.data, keep=True)


def _register_page(form: RegisterForm, step: str) -> ResponseReturnValue:
    context = {"min_length": current_settings().password_min_length, "resend_seconds": CODE_RESEND_SECONDS}
    return render_template(f"accounts/register_{step}.html", form=form, **context), 422 if form.errors else 200


def _sign_in(name: str, password: str, *, keep: bool) -> ResponseReturnValue:
    """Begin a session under a new id; nothing of the one before is taken over."""
    user = service.log_in(
        login=name,
        password=password,
        keep=keep,
        user_agent=request.user_agent.string,
        address=client_address(),
    )
    target = safe_next(url_for("chat.index"))
    session.clear()
    session.permanent = keep
    login_user(user)
    return redirect(target, 303)


def _profile_page(form: ProfileForm, avatar_form: AvatarForm, status: int | None = None) -> ResponseReturnValue:
    page = render_template(
        "accounts/profile.html",
        form=form,
        avatar_form=avatar_form,
        tab="profile",
        avatar_limit_mb=rules.AVATAR_MAX_BYTES // 1_048_576,
    )
    return page, status or (422 if form.errors else 200)


def _known_zone(name: str | None) -> str | None:
    return name if name in service.timezones() else None


def _code_context() -> dict[str, int]:
    return {"min_length": current_settings().password_min_length, "resend_seconds": CODE_RESEND_SECONDS}
