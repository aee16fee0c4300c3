"""The route table: every route is guarded or on the list of public ones; none does what it should not."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from webapp.web.api import ANYBODY
from webapp.web.api.routes import contracts_of
from webapp.web.guards import is_public

PUBLIC = {
    "accounts.disown",
    "accounts.forgot_password",
    "accounts.keep_account",
    "accounts.login",
    "accounts.object_to_address",
    "accounts.password_link",
    "accounts.register",
    "accounts.reset_password",
    "accounts.second_step",
    "assets.serve",
    "dashboard.setup.first_admin",
    "dashboard.signing.login",
    "dashboard.signing.second_step",
    "dev.components",
    "dev_mail.index",
    "dev_mail.message",
    "dev_mail.html_part",
    "health.live",
    "health.ready",
    "health.stream",
    "monitoring.metrics",
    "site.home",
    "site.privacy",
    "site.set_language",
    "site.set_theme",
}
# Routes of the API that need no token.
PUBLIC_API = {
    "api_admin.login",
    "api_docs.file",
    "api_docs.openapi",
    "api_docs.page",
    "api_user.login",
    "api_user.register",
    "api_user.reset_password",
    "api_user.send_code",
}
HARMLESS = {"GET", "HEAD", "OPTIONS"}
SAMPLE = "x" * 22


def url_of(app: Flask, rule: Rule) -> str:
    values = dict.fromkeys(rule.arguments, SAMPLE)
    with app.test_request_context():
        return rule.build(values, append_unknown=False)[1]  # type: ignore[index]


def test_public_routes_are_exactly_those_listed(app: Flask) -> None:
    public = {name for name, view in app.view_functions.items() if is_public(view)}
    assert public == PUBLIC
    open_routes = {name for name, each in contracts_of(app).items() if each.audience == ANYBODY}
    assert open_routes == PUBLIC_API


def test_every_other_route_refuses_strangers(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC | PUBLIC_API:
            continue
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            response = client.open(url_of(app, rule), method=method, headers={"Accept": "text/html"})
            told = response.status_code
            assert told in {302, 400, 401}, (rule.rule, method, told)
            if told == 302:
                sign_in = "/admin/login" if rule.rule.startswith("/admin") else "/login"
                assert response.location.startswith(f"{sign_in}?next="), rule.rule


def test_harmless_methods_are_apart_from_others(app: Flask) -> None:
    """A view that answers GET and POST must be a form; a route never changes anything on GET alone."""
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - HARMLESS
        if rule.endpoint in contracts_of(app):
            assert len(rule.methods - {"HEAD"}) == 1, f"{rule.rule} answers several methods with one contract"
            continue
        assert methods <= {"POST"}, f"{rule.rule} uses {methods}; forms can only post"


def test_unused_methods_are_405(app: Flask) -> None:
    client = app.test_client()
    for method in ("TRACE", "PUT", "DELETE", "PATCH"):
        assert client.open("/login", method=method).status_code == 405
    assert client.post("/privacy", headers={"X-HTTP-Method-Override": "GET"}).status_code in {400, 405}


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nowhere", "/chat", "/healthz/live", "/assets/0/css/none.css"]
)
def test_security_headers_are_on_every_response(app: Flask, path: str) -> None:
    response = app.test_client().get(path)
    headers = response.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Request-Id"]
    assert "Cache-Control" in headers


def test_unknown_host_is_refused_with_headers(app: Flask) -> None:
    response = app.test_client().get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.headers["X-Content-Type-Options"] == "nosniff"
