"""Refusals below /admin: shown inside the dashboard, and those for want of rights recorded."""

from __future__ import annotations

from flask import Response, current_app, g, request

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.errors import AppError, NotAllowed
from webapp.web import problems
from webapp.web.guards import permission_of


def on_refusal(error: AppError) -> Response:
    """Answer a refusal; whoever is signed in keeps the navigation beside it."""
    problem = problems.of_refusal(error)
    if g.get("admin") is None:
        return problems.answer(problem)
    if isinstance(error, NotAllowed):
        permission = permission_of(current_app.view_functions[request.endpoint or ""])
        audit.record_alone(Event.ACCESS_DENIED, actor=g.admin, after={"permission": permission or "none"})
    return problems.answer(problem, template="dashboard/problem.html")
