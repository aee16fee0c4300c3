"""API tokens. For login tokens only: no API token makes another one."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from webapp.accounts import service
from webapp.accounts.api.declaring import routes
from webapp.identity import service as identity
from webapp.identity.models import ApiToken
from webapp.identity.rules import TOKEN_DAYS, TOKEN_DAYS_DEFAULT, TOKEN_NAME_LENGTH, Realm, Scope
from webapp.web.api import OWNER, Answer, Confirmation, caller

NETWORKS_MAX_LENGTH = 2_000


class TokenBody(Confirmation):
    """A token to be made."""

    name: Annotated[str, Field(min_length=1, max_length=TOKEN_NAME_LENGTH)]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Field(ge=TOKEN_DAYS[0], le=TOKEN_DAYS[-1], description=f"one of {TOKEN_DAYS}")] = (
        TOKEN_DAYS_DEFAULT
    )
    networks: Annotated[
        str,
        Field(
            max_length=NETWORKS_MAX_LENGTH,
            description="addresses or networks it works from; empty is everywhere",
        ),
    ] = ""


class TokenAnswer(Answer):
    """A token, without what it is."""

    id: str
    name: str
    hint: Annotated[str, Field(description="its last characters")]
    scopes: list[str]
    networks: list[str]
    created_at: dt.datetime
    expires_at: dt.datetime
    last_used_at: dt.datetime | None
    last_used_address: str


class NewTokenAnswer(TokenAnswer):
    """A token that was made a moment ago."""

    token: Annotated[str, Field(description="shown once")]


class TokensAnswer(Answer):
    """All tokens."""

    items: list[TokenAnswer]


@routes.get("/user/tokens", OWNER, answer=TokensAnswer)
def tokens() -> TokensAnswer:
    """List the API tokens."""
    rows = identity.tokens_of(Realm.USER, caller().person.id)
    return TokensAnswer(items=[TokenAnswer(**_fields(row)) for row in rows])


@routes.post(
    "/user/tokens",
    OWNER,
    body=TokenBody,
    answer=NewTokenAnswer,
    status=201,
    limit="token_create",
    idempotent=True,
)
def create_token(body: TokenBody) -> NewTokenAnswer:
    """Make an API token."""
    raw, row = service.create_token(
        caller().person,
        name=body.name,
        scopes=[each.value for each in body.scopes],
        days=body.days,
        networks=body.networks,
    )
    return NewTokenAnswer(token=raw, **_fields(row))


@routes.delete("/user/tokens/<token_id>", OWNER)
def revoke_token(token_id: str) -> None:
    """Let a token do nothing any more."""
    identity.revoke_token(caller().person, token_id, actor=caller().person)


def _fields(row: ApiToken) -> dict[str, object]:
    return {
        "id": row.public_id,
        "name": row.name,
        "hint": row.hint,
        "scopes": list(row.scope_names),
        "networks": list(row.network_names),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
        "last_used_address": row.last_used_address,
    }
