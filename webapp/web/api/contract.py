"""The contract of an API route: what it takes, gives and refuses. Checks, answers and the description follow from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from webapp.web.api.audiences import Audience

_PROOF_MAX_LENGTH: Final = 256
_EARLIEST: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LATEST: Final = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)

# A point of time with its zone, near enough to be one in every zone and every database.
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]


class Body(BaseModel):
    """What is sent as JSON: only the fields declared, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """What stands behind the question mark: only what is declared, and nothing twice."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Confirmation(Body):
    """A body with a proof of who one is, for what pages ask the password for once more."""

    proof: Annotated[
        str | None,
        Field(
            max_length=_PROOF_MAX_LENGTH,
            description="Your password, or a code of your authenticator app where two-step sign-in is on. Needed when "
            "signing in was more than ten minutes ago.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no envelope, such as a file or a stream."""

    type: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A route: see `Routes.add` for what the parts mean."""

    endpoint: str
    method: str
    path: str
    audience: Audience
    handler: Callable[..., Any]
    tag: str
    body: type[Body] | None = None
    query: type[Query] | None = None
    answer: type[BaseModel] | Media | None = None
    also: Media | None = None  # what it answers instead where that is asked for, such as a stream
    file: str | None = None
    status: int = 200
    limit: str | None = None
    idempotent: bool = False
    enveloped: bool = True
    refusals: tuple[int, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None  # the schema of refusals where they are no envelope

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return cleandoc(self.handler.__doc__ or "").split("\n", 1)[0].rstrip(".")

    @property
    def description(self) -> str:
        """The rest of it."""
        return cleandoc(self.handler.__doc__ or "").partition("\n")[2].strip()

    @property
    def confirms(self) -> bool:
        """Whether whoever signed in long ago has to prove again who they are."""
        return self.body is not None and issubclass(self.body, Confirmation)
