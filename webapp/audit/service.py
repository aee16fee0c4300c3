"""The audit log as other units use it."""

from webapp.audit.recording import STRANGER, SYSTEM, Party, changes, party, record, record_alone

__all__ = ["STRANGER", "SYSTEM", "Party", "changes", "party", "record", "record_alone"]
