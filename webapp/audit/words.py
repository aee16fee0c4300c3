"""Verdicts about the audit log, in words."""

from __future__ import annotations

from flask_babel import format_datetime, ngettext
from flask_babel import gettext as _

from webapp.audit.verifying import Fault, FaultKind, Verdict


def verdict_in_words(verdict: Verdict) -> str:
    """Return what the verification found, as sentences."""
    if verdict.fault is not None:
        return fault_in_words(verdict.fault)
    if verdict.next_number is not None:
        return str(
            _(
                "Entries no. %(first)s to %(last)s are as they were written; the log is longer than one look.",
                first=verdict.first_number,
                last=verdict.next_number - 1,
            )
        )
    sentences = [
        ngettext(
            "%(num)s sealed entry was looked at, and is as it was written.",
            "%(num)s sealed entries were looked at, and are as they were written.",
            verdict.checked,
        )
    ]
    if verdict.unsealed:
        sentences.append(
            ngettext(
                "%(num)s newer entry is not sealed yet; its mark is right.",
                "%(num)s newer entries are not sealed yet; their marks are right.",
                verdict.unsealed,
            )
        )
    return " ".join(sentences)


def fault_in_words(fault: Fault) -> str:
    """Return which entry does not fit, and how."""
    if fault.kind is FaultKind.REMOVED:
        return str(_("Entry no. %(number)s was removed.", number=fault.number))
    if fault.kind is FaultKind.CUT_OFF:
        return str(_("The newest entries, from no. %(number)s on, were removed.", number=fault.number))
    if fault.kind is FaultKind.CHAIN:
        return str(
            _(
                "The record of where the log begins and ends was changed or removed, or the key of the log is "
                "another one."
            )
        )
    when = format_datetime(fault.created_at, "short") if fault.created_at else ""
    if fault.kind is FaultKind.CHANGED:
        return str(
            _(
                "Entry no. %(number)s of %(time)s (%(id)s) was changed or moved after it was sealed.",
                number=fault.number,
                time=when,
                id=fault.public_id,
            )
        )
    return str(
        _("The entry of %(time)s (%(id)s) was not written by this program.", time=when, id=fault.public_id)
    )
