"""What features declare their API routes with; `webapp/api` mounts them, guards them and describes them."""

from webapp.web.api.audiences import ANYBODY, OWNER, Audience, Caller, administrator, caller, token
from webapp.web.api.contract import Answer, Body, Confirmation, Contract, Media, Moment, Query
from webapp.web.api.paging import ListQuery, listing
from webapp.web.api.routes import Routes

__all__ = [
    "ANYBODY",
    "OWNER",
    "Answer",
    "Audience",
    "Body",
    "Caller",
    "Confirmation",
    "Contract",
    "ListQuery",
    "Media",
    "Moment",
    "Query",
    "Routes",
    "administrator",
    "caller",
    "listing",
    "token",
]
