"""The set-up wizard: the first administrator by a one-time link, then what the site needs to be of use."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.admins import service
from webapp.admins.forms import FirstAdminForm
from webapp.admins.permissions import Permission
from webapp.config import current_settings
from webapp.dashboard.forms import MailSetupForm, ModelSetupForm, SiteSetupForm
from webapp.dashboard.signing import client
from webapp.errors import AppError
from webapp.llm import trials
from webapp.settings import service as settings
from webapp.web import cookies, device_cookie
from webapp.web.forms import Form
from webapp.web.guards import current_admin, needs, public
from webapp.web.limits import limit
from webapp.web.locale import choose_locale

blueprint = Blueprint("setup", __name__, url_prefix="/setup")


@blueprint.route("/<token>", methods=["GET", "POST"])
@public
@limit("code_check")
def first_admin(token: str) -> ResponseReturnValue:
    """Make the first administrator."""
    service.check_setup_token(token)
    form = FirstAdminForm()
    if form.validate_on_submit():
        try:
            accepted = service.set_up(
                token=token,
                username=form.username.data,
                email=form.email.data,
                password=form.password.data,
                client=client(),
            )
        except AppError as error:
            if not error.field:
                raise
            form.apply_error(error)
        else:
            cookies.begin_admin(accepted.session_token)
            response = redirect(url_for("dashboard.setup.site"), 303)
            return device_cookie.write(response, accepted.device_token)
    least = current_settings().admin_password_min_length
    page = render_template("dashboard/setup_admin.html", form=form, token=token, min_length=least)
    return page, 422 if form.errors else 200


@blueprint.route("/site", methods=["GET", "POST"])
@needs(Permission.SETTINGS_CHANGE)
def site() -> ResponseReturnValue:
    """Name the site, and choose its language."""
    form = SiteSetupForm(obj=current_settings())
    if form.validate_on_submit() and _stored(form, form.values()):
        return redirect(url_for("dashboard.setup.mail"), 303)
    return _step("dashboard/setup_site.html", form)


@blueprint.route("/mail", methods=["GET", "POST"])
@needs(Permission.SETTINGS_CHANGE)
@limit("mail_test", when=lambda: "test" in request.form)
def mail() -> ResponseReturnValue:
    """Set a mail server, and send a test mail through it."""
    form = MailSetupForm.of(current_settings(), to=current_admin.email)
    result: tuple[bool, str] | None = None
    if form.validate_on_submit() and _stored(form, form.values()):
        if "test" not in request.form:
            return redirect(url_for("dashboard.setup.model"), 303)
        result = settings.send_test_mail(current_admin, to=form.to.data, locale=choose_locale())
    return _step("dashboard/setup_mail.html", form, result=result)


@blueprint.route("/model", methods=["GET", "POST"])
@needs(Permission.PROVIDERS_CHANGE)
@limit("provider_test", when=lambda: "test" in request.form)
def model() -> ResponseReturnValue:
    """Set a provider of models, and ask it something short."""
    form = ModelSetupForm(obj=current_settings())
    result: tuple[bool, str] | None = None
    if form.validate_on_submit() and _stored(form, form.values()):
        if "test" not in request.form:
            flash(_("All is set up. You can change it under Settings at any time."), "success")
            return redirect(url_for("dashboard.overview.index"), 303)
        result = _tried(form.provider.data)
    return _step("dashboard/setup_model.html", form, result=result, providers=trials.providers())


def _stored(form: Form, values: dict[str, Any]) -> bool:
    """Store what was typed; a refusal is told beside its field."""
    try:
        settings.change(current_admin, values)
    except AppError as error:
        faults: dict[str, str] = getattr(error, "faults", None) or {error.field or "": error.sentence}
        for name, sentence in faults.items():
            form.apply_error(AppError(sentence, field=name))
        return False
    return True


def _tried(provider: str) -> tuple[bool, str]:
    """Ask the first model of the provider, and tell what came of it."""
    models = next((each.models for each in trials.providers() if each.name == provider), ())
    if not models:
        return False, _(
            "This provider offers no model yet. Give its key, and for others their address and models."
        )
    if trials.try_out(current_admin, models[0]):
        return True, _("%(model)s answers.", model=models[0])
    return False, _(
        "%(model)s did not answer. Check address, key and the name of the model.", model=models[0]
    )


def _step(template: str, form: Form, **more: Any) -> ResponseReturnValue:
    return render_template(template, form=form, **more), 422 if form.errors else 200
