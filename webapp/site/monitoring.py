"""What the program counts about itself, for a Prometheus that has the token."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, current_app, request
from flask_babel import gettext as _

from webapp import metrics as counted
from webapp.config import deployment_settings
from webapp.errors import NotFound, NotSignedIn
from webapp.extensions import limiter
from webapp.metrics.recorder import CONTENT_TYPE
from webapp.web.guards import public

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/metrics")
@public
@limiter.exempt
def metrics() -> Response:
    """Tell everything in Prometheus' text format; there is no such page without METRICS_TOKEN."""
    token = deployment_settings().metrics_token.get_secret_value()
    if not token:
        raise NotFound(_("Metrics are turned off here."))
    kind, _space, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise NotSignedIn(_("Metrics need their token: Authorization: Bearer …"))
    return Response(counted.render(current_app), content_type=CONTENT_TYPE)
