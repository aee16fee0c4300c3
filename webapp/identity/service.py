"""Identity as other units use it."""

from webapp.identity.addresses import canonical as canonical_address
from webapp.identity.addresses import checked as checked_address
from webapp.identity.codes import Verdict
from webapp.identity.codes import consume as consume_code
from webapp.identity.codes import issue as issue_code
from webapp.identity.passwords import checked as checked_password
from webapp.identity.passwords import hashed as hashed_password
from webapp.identity.passwords import matches as password_matches
from webapp.identity.passwords import needs_new_hash
from webapp.identity.sessions import begin as begin_session
from webapp.identity.sessions import current_session_id, live_among, register_realm
from webapp.identity.sessions import end as end_session
from webapp.identity.sessions import end_all as end_all_sessions
from webapp.identity.sessions import load as load_session

__all__ = [
    "Verdict",
    "begin_session",
    "canonical_address",
    "checked_address",
    "checked_password",
    "consume_code",
    "current_session_id",
    "end_all_sessions",
    "end_session",
    "hashed_password",
    "issue_code",
    "live_among",
    "load_session",
    "needs_new_hash",
    "password_matches",
    "register_realm",
]
