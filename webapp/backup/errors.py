"""What can go wrong, each with a sentence for the operator."""

from __future__ import annotations


class BackupError(Exception):
    """It cannot be done; the text says why, and what to do."""


class BrokenBackupError(BackupError):
    """The file is not a whole backup; the text names the first entry that is wrong."""
