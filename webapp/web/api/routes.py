"""API routes: declared with their contract, and there is no other way to add one.

The order at a call is always the same: limit by address, guard, limit of the caller, query, body, proof, the handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Blueprint, Flask, Response, current_app, jsonify
from flask_babel import gettext as _
from pydantic import BaseModel

from webapp.errors import AppError, NotAllowed
from webapp.extensions import csrf
from webapp.web.api import idempotency, reading
from webapp.web.api.audiences import Audience, caller
from webapp.web.api.contract import Confirmation, Contract
from webapp.web.guards import API_CONTRACT
from webapp.web.limits import limit
from webapp.web.problems import envelope
from webapp.web.requests import API_PREFIXES

H = TypeVar("H", bound=Callable[..., Any])

GUARD: Final = "api_guard"
_CONTRACTS: Final = "api_contracts"


class Routes:
    """The API routes of one subject.

    `prefix` is /api, or that of another door, where answers may be without an envelope; then `problem` is the schema
    of its refusals, see `webapp.web.problems.register_format`.
    """

    def __init__(
        self,
        name: str,
        *,
        tag: str,
        prefix: str = "/api",
        enveloped: bool = True,
        problem: Mapping[str, Any] | None = None,
        templates: str | None = None,
    ) -> None:
        if f"{prefix}/" not in API_PREFIXES:
            raise ValueError(f"{prefix} is no prefix of the API")
        self.contracts: list[Contract] = []
        self._name, self._tag = f"api_{name}", tag
        self._defaults = {"enveloped": enveloped, "problem": problem}
        self._blueprint = Blueprint(self._name, __name__, url_prefix=prefix, template_folder=templates)
        self._prefix = prefix
        csrf.exempt(self._blueprint)  # no cookie signs anybody in here

    def add(self, method: str, path: str, audience: Audience, **parts: Any) -> Callable[[H], H]:
        """Declare a route; the handler takes the ids of the path and, where declared, `query`, `body` and `file`.

        `body`, `query`: models of what it takes. `file`: the name of the one part of a multipart body.
        `answer`: the model of what it returns, None for nothing, or `Media` for a response of its own making.
        `also`: the `Media` it answers instead where the caller asks for it, such as a stream.
        `limit`: a name of `webapp.web.limits`, beside the limit that every route has.
        `idempotent`: a repeat with the same Idempotency-Key gets the answer of the first call, and does nothing.
        `refusals`: statuses of its own kind, beside those that follow from the rest (409 for a conflict).
        `fields`: how a field that services name in refusals is called here.
        """

        def declare(handler: H) -> H:
            contract = Contract(
                endpoint=f"{self._name}.{handler.__name__}",
                method=method,
                path=self._prefix + path,
                audience=audience,
                handler=handler,
                tag=self._tag,
                **{**self._defaults, **parts},
            )
            _check(contract)
            self.contracts.append(contract)
            self._blueprint.add_url_rule(
                path,
                endpoint=handler.__name__,
                view_func=_view(contract),
                methods=[method],
                provide_automatic_options=False,
            )
            return handler

        return declare

    def get(self, path: str, audience: Audience, **parts: Any) -> Callable[[H], H]:
        """Declare a route that reads."""
        return self.add("GET", path, audience, **parts)

    def post(self, path: str, audience: Audience, **parts: Any) -> Callable[[H], H]:
        """Declare a route that does or makes something."""
        return self.add("POST", path, audience, **parts)

    def put(self, path: str, audience: Audience, **parts: Any) -> Callable[[H], H]:
        """Declare a route that puts something in the place of what is there."""
        return self.add("PUT", path, audience, **parts)

    def patch(self, path: str, audience: Audience, **parts: Any) -> Callable[[H], H]:
        """Declare a route that changes the fields it is sent."""
        return self.add("PATCH", path, audience, **parts)

    def delete(self, path: str, audience: Audience, **parts: Any) -> Callable[[H], H]:
        """Declare a route that takes something away."""
        return self.add("DELETE", path, audience, **parts)

    def mount(self, app: Flask) -> None:
        """Add the routes to an application."""
        app.register_blueprint(self._blueprint)
        contracts_of(app).update({each.endpoint: each for each in self.contracts})


def contracts_of(app: Flask) -> dict[str, Contract]:
    """Return the contracts of all routes by endpoint."""
    found: dict[str, Contract] = app.extensions.setdefault(_CONTRACTS, {})
    return found


def contract_of(view: Callable[..., Any]) -> Contract | None:
    """Return the contract of a view, None for one that is no API route."""
    found: Contract | None = getattr(view, API_CONTRACT, None)
    return found


def _check(contract: Contract) -> None:
    if contract.idempotent and contract.method != "POST":
        raise ValueError(f"{contract.endpoint}: only what is posted takes an Idempotency-Key")
    if contract.body is not None and contract.method in {"GET", "DELETE"}:
        raise ValueError(f"{contract.endpoint}: nothing is sent with {contract.method}")
    if contract.confirms and contract.audience.realm == "":
        raise ValueError(f"{contract.endpoint}: strangers have nothing to prove")


def _view(contract: Contract) -> Callable[..., Response]:
    """Return the view function: all that stands before the handler, and the answer made of what it returns."""

    @wraps(contract.handler)
    def called(**path: Any) -> Response:
        return _run(contract, path)

    limited = limit(contract.limit)(called) if contract.limit else called
    limited = limit("api")(limited)

    @wraps(contract.handler)
    def guarded(**path: Any) -> Response:
        current_app.extensions[GUARD](contract)
        return limited(**path)

    guarded.__name__ = (
        f"{contract.handler.__name__}_guarded"  # the limiter tells functions apart by their names
    )
    guarded.__qualname__ = f"{contract.handler.__qualname__}_guarded"
    view: Callable[..., Response] = limit("api_address")(guarded)
    setattr(view, API_CONTRACT, contract)
    return view


def _run(contract: Contract, path: dict[str, Any]) -> Response:
    given = dict(path)
    query = reading.query_of(contract.query)
    if contract.query is not None:
        given["query"] = query
    if contract.body is not None:
        given["body"] = reading.body_of(contract.body)
    elif contract.file is not None:
        given["file"] = reading.file_of(contract.file)
    else:
        reading.nothing_more()
    if isinstance(given.get("body"), Confirmation):
        _confirm(given["body"])

    def handle() -> Response:
        try:
            return _answer(contract, contract.handler(**given))
        except AppError as error:
            raise _renamed(error, contract) from None

    return idempotency.once(contract, handle) if contract.idempotent else handle()


def _confirm(body: Confirmation) -> None:
    """Let pass who signed in a short time ago or proves again who they are."""
    who = caller()
    if who.is_fresh:
        return
    if body.proof is None:
        sentence = _("Confirm first that it is you.")
        raise NotAllowed(sentence, code="confirmation_needed", field="proof")
    who.prove(body.proof)


def _answer(contract: Contract, result: Any) -> Response:
    if isinstance(result, Response):
        return result
    data = None
    if isinstance(contract.answer, type):
        model = result if isinstance(result, BaseModel) else contract.answer.model_validate(result)
        data = model.model_dump(mode="json")
    if contract.enveloped:
        return envelope(data, status=contract.status)
    response = jsonify(data)
    response.status_code = contract.status
    return response


def _renamed(error: AppError, contract: Contract) -> AppError:
    """Return the refusal with its fields called as they are called here."""
    if not set(error.errors) & set(contract.fields):
        return error
    error.errors = {contract.fields.get(name, name): told for name, told in error.errors.items()}
    if error.field:
        error.field = contract.fields.get(error.field, error.field)
    return error
