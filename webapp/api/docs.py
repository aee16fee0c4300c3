"""The description of the API, and a page to read it on and to try it with a token of one's own."""

from __future__ import annotations

import gzip
import mimetypes
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import Response, current_app, jsonify, make_response, render_template, request
from flask_babel import gettext as _

from webapp.config import current_settings
from webapp.errors import NotFound
from webapp.web.api import ANYBODY, Media, Routes
from webapp.web.api.openapi import document
from webapp.web.api.routes import contracts_of
from webapp.web.assets import without_data_urls

routes = Routes("docs", tag="Description", templates=str(Path(__file__).parent / "templates"))

FILES: Final = frozenset({"swagger-ui.css", "swagger-ui-bundle.js"})
KEPT: Final = "public, max-age=86400"


@routes.get("/openapi.json", ANYBODY, answer=Media("application/json", "an OpenAPI document"))
def openapi() -> Response:
    """Get this description."""
    settings = current_settings()
    contracts = contracts_of(current_app).values()
    return jsonify(
        document(contracts, title=f"{settings.site_name} API", base_url=request.host_url.rstrip("/"))
    )


@routes.get("/docs", ANYBODY, answer=Media("text/html", "a page"))
def page() -> Response:
    """Read this description on a page, and try it."""
    return make_response(render_template("api/docs.html"))


@routes.get("/docs/<name>", ANYBODY, answer=Media("*/*", "a style sheet or a script"))
def file(name: str) -> Response:
    """Get a file of that page."""
    if name not in FILES:
        raise NotFound(_("There is nothing here."))
    packed = request.accept_encodings["gzip"] > 0
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = Response(_packed(name) if packed else _plain(name), content_type=f"{kind}; charset=utf-8")
    response.vary.add("Accept-Encoding")
    if packed:
        response.content_encoding = "gzip"
    response.headers["Cache-Control"] = KEPT
    return response


@cache
def _plain(name: str) -> bytes:
    found = files("flask_swagger_ui").joinpath("dist", name).read_bytes()
    return without_data_urls(found.decode()).encode() if name.endswith(".css") else found


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_plain(name), 9, mtime=0)
