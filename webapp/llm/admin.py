"""The providers of models as administrators see and test them."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from webapp.llm import trials
from webapp.web.guards import current_admin, needs
from webapp.web.limits import limit

blueprint = Blueprint("providers", __name__, url_prefix="/providers", template_folder="templates")


@blueprint.get("/")
@needs("settings.read")
def index() -> ResponseReturnValue:
    """Show the providers, and whether they can be asked."""
    return render_template("llm/providers.html", providers=trials.providers(), tested=None, works=False)


@blueprint.post("/test")
@needs("providers.change")
@limit("provider_test")
def test() -> ResponseReturnValue:
    """Ask a model of a provider something short, and tell whether it answered."""
    model = request.form.get("model", "")
    works = trials.try_out(current_admin, model)
    return render_template("llm/providers.html", providers=trials.providers(), tested=model, works=works)
