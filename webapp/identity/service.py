"""Identity as other units use it."""

from webapp.identity import links
from webapp.identity.addresses import canonical as canonical_address
from webapp.identity.addresses import checked as checked_address
from webapp.identity.attempts import Accepted, Attempt, SecondStep, ask_second_step
from webapp.identity.attempts import accept as accept_attempt
from webapp.identity.attempts import begin as begin_attempt
from webapp.identity.attempts import history as sign_in_history
from webapp.identity.attempts import refuse as refuse_attempt
from webapp.identity.attempts import resume as resume_attempt
from webapp.identity.attempts import second_step as find_second_step
from webapp.identity.attempts import trusted as trusted_attempt
from webapp.identity.codes import Verdict
from webapp.identity.codes import consume as consume_code
from webapp.identity.codes import issue as issue_code
from webapp.identity.confirming import confirm, prove
from webapp.identity.devices import Client
from webapp.identity.devices import forget_all as forget_devices
from webapp.identity.devices import is_any as is_known_device
from webapp.identity.erasing import erase_subject
from webapp.identity.passwords import checked as checked_password
from webapp.identity.passwords import hashed as hashed_password
from webapp.identity.passwords import matches as password_matches
from webapp.identity.passwords import needs_new_hash
from webapp.identity.second_factors import Passed, new_recovery_codes, recovery_codes_left
from webapp.identity.second_factors import address_for_app as totp_address
from webapp.identity.second_factors import check as check_second_factor
from webapp.identity.second_factors import give_up as give_up_totp
from webapp.identity.second_factors import is_on as second_factor_is_on
from webapp.identity.second_factors import key_in_groups as totp_key_in_groups
from webapp.identity.second_factors import offer as offer_totp
from webapp.identity.second_factors import offered as offered_totp
from webapp.identity.second_factors import turn_off as turn_totp_off
from webapp.identity.second_factors import turn_off_since as turn_totp_off_since
from webapp.identity.second_factors import turn_on as turn_totp_on
from webapp.identity.second_factors import with_one as with_second_factor
from webapp.identity.sessions import begin as begin_session
from webapp.identity.sessions import current_session_id, is_login_token, live_among, person, register_realm
from webapp.identity.sessions import end as end_session
from webapp.identity.sessions import end_all as end_all_sessions
from webapp.identity.sessions import end_one as end_one_session
from webapp.identity.sessions import load as load_session
from webapp.identity.sessions import of as sessions_of
from webapp.identity.sessions import of_token as session_of_token
from webapp.identity.throttles import blocked as lockouts
from webapp.identity.throttles import is_blocked as is_locked
from webapp.identity.throttles import lift as lift_lockout
from webapp.identity.throttles import lift_all_of as lift_lockouts_of
from webapp.identity.tokens import TokenUse
from webapp.identity.tokens import create as create_token
from webapp.identity.tokens import find as find_token
from webapp.identity.tokens import in_force as tokens_in_force
from webapp.identity.tokens import of as tokens_of
from webapp.identity.tokens import revoke as revoke_token
from webapp.identity.tokens import revoke_all as revoke_all_tokens
from webapp.identity.tokens import still_hold as live_tokens_among

__all__ = [
    "Accepted",
    "Attempt",
    "Client",
    "Passed",
    "SecondStep",
    "TokenUse",
    "Verdict",
    "accept_attempt",
    "ask_second_step",
    "begin_attempt",
    "begin_session",
    "canonical_address",
    "check_second_factor",
    "checked_address",
    "checked_password",
    "confirm",
    "consume_code",
    "create_token",
    "current_session_id",
    "end_all_sessions",
    "end_one_session",
    "end_session",
    "erase_subject",
    "find_second_step",
    "find_token",
    "forget_devices",
    "give_up_totp",
    "hashed_password",
    "is_known_device",
    "is_locked",
    "is_login_token",
    "issue_code",
    "lift_lockout",
    "lift_lockouts_of",
    "links",
    "live_among",
    "live_tokens_among",
    "load_session",
    "lockouts",
    "needs_new_hash",
    "new_recovery_codes",
    "offer_totp",
    "offered_totp",
    "password_matches",
    "person",
    "prove",
    "recovery_codes_left",
    "refuse_attempt",
    "register_realm",
    "resume_attempt",
    "revoke_all_tokens",
    "revoke_token",
    "second_factor_is_on",
    "session_of_token",
    "sessions_of",
    "sign_in_history",
    "tokens_in_force",
    "tokens_of",
    "totp_address",
    "totp_key_in_groups",
    "trusted_attempt",
    "turn_totp_off",
    "turn_totp_off_since",
    "turn_totp_on",
    "with_second_factor",
]
