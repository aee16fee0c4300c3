"""What is recorded, and who can have done it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

NAME_LENGTH: Final = 120
KIND_LENGTH: Final = 32
ID_LENGTH: Final = 64
MASKED: Final = "••••••"  # stands for a secret in before and after


class Event(StrEnum):
    """Everything that leaves an entry, as `subject:action`."""

    USER_REGISTERED = "user:registered"
    USER_SIGNED_IN = "user:signed_in"
    USER_SIGN_IN_REFUSED = "user:sign_in_refused"
    USER_SIGNED_OUT = "user:signed_out"
    USER_LOCKED = "user:locked"
    USER_UNLOCKED = "user:unlocked"
    USER_PROFILE_CHANGED = "user:profile_changed"
    USER_PASSWORD_CHANGED = "user:password_changed"  # noqa: S105
    USER_PASSWORD_RESET = "user:password_reset"  # noqa: S105
    USER_RESET_STARTED = "user:reset_started"
    USER_EMAIL_CHANGED = "user:email_changed"
    USER_SESSION_ENDED = "user:session_ended"
    USER_SESSIONS_ENDED = "user:sessions_ended"
    USER_DISOWNED_SIGN_IN = "user:disowned_sign_in"
    USER_SECOND_FACTOR_ON = "user:second_factor_on"
    USER_SECOND_FACTOR_OFF = "user:second_factor_off"
    USER_RECOVERY_CODE_USED = "user:recovery_code_used"
    USER_RECOVERY_CODES_MADE = "user:recovery_codes_made"
    USER_SUSPENDED = "user:suspended"
    USER_RESTORED = "user:restored"
    USER_INVITED = "user:invited"
    USER_EXPORTED_DATA = "user:exported_data"
    USER_DELETION_ASKED = "user:deletion_asked"
    USER_DELETION_TAKEN_BACK = "user:deletion_taken_back"
    USER_DELETED = "user:deleted"
    USERS_EXPORTED = "users:exported"
    USERS_IMPORTED = "users:imported"
    USERS_BULK_CHANGED = "users:bulk_changed"
    CODE_SENT = "code:sent"
    CODE_REFUSED = "code:refused"
    CODE_CANCELLED = "code:cancelled"
    TOKEN_CREATED = "token:created"  # noqa: S105
    TOKEN_REVOKED = "token:revoked"  # noqa: S105
    TOKEN_REFUSED = "token:refused"  # noqa: S105
    ADMIN_CREATED = "admin:created"
    ADMIN_CHANGED = "admin:changed"
    ADMIN_DISABLED = "admin:disabled"
    ADMIN_ENABLED = "admin:enabled"
    ADMIN_SIGNED_IN = "admin:signed_in"
    ADMIN_SIGN_IN_REFUSED = "admin:sign_in_refused"
    ADMIN_SIGNED_OUT = "admin:signed_out"
    ADMIN_LOCKED = "admin:locked"
    ADMIN_UNLOCKED = "admin:unlocked"
    ADMIN_PASSWORD_CHANGED = "admin:password_changed"  # noqa: S105
    ADMIN_SECOND_FACTOR_ON = "admin:second_factor_on"
    ADMIN_SECOND_FACTOR_OFF = "admin:second_factor_off"
    ADMIN_RECOVERY_CODE_USED = "admin:recovery_code_used"
    ADMIN_RECOVERY_CODES_MADE = "admin:recovery_codes_made"
    ADMIN_SESSIONS_ENDED = "admin:sessions_ended"
    ADMIN_SET_UP = "admin:set_up"
    ROLE_CREATED = "role:created"
    ROLE_CHANGED = "role:changed"
    ROLE_DELETED = "role:deleted"
    CONFIRMATION_REFUSED = "confirmation:refused"
    ACCESS_DENIED = "access:denied"
    SETTING_CHANGED = "setting:changed"
    SETTING_REVERTED = "setting:reverted"
    KEYS_ROTATED = "keys:rotated"
    BACKUP_MADE = "backup:made"
    BACKUP_RESTORED = "backup:restored"
    PROVIDER_TESTED = "provider:tested"
    MAIL_TESTED = "mail:tested"
    MAIL_RETRIED = "mail:retried"
    MAIL_CANCELLED = "mail:cancelled"
    ANNOUNCEMENT_CREATED = "announcement:created"
    ANNOUNCEMENT_CHANGED = "announcement:changed"
    ANNOUNCEMENT_DELETED = "announcement:deleted"
    AUDIT_EXPORTED = "audit:exported"
    AUDIT_VERIFIED = "audit:verified"
    AUDIT_PRUNED = "audit:pruned"
    TASK_CREATED = "task:created"
    TASK_CHANGED = "task:changed"
    TASK_DELETED = "task:deleted"
    TASK_PAUSED = "task:paused"
    TASK_RESUMED = "task:resumed"
    TASK_DISABLED = "task:disabled"
    TASK_STARTED = "task:started"
    TASK_CANCELLED = "task:cancelled"
    TASK_RAN = "task:ran"
