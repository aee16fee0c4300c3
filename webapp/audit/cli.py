"""Commands of the audit log."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from webapp.audit import recording, retention, sealing, verifying
from webapp.audit.rules import Event
from webapp.audit.words import verdict_in_words

commands = AppGroup("audit", help="The audit log.")


@commands.command("verify")
def verify() -> None:
    """Follow the chain of seals and name the first entry that does not fit; exit code 1 where one does not."""
    verdict = verifying.verify()
    recording.record_alone(
        Event.AUDIT_VERIFIED,
        actor=recording.SYSTEM,
        after={"holds": verdict.holds, "checked": verdict.checked, "last_number": verdict.last_number},
    )
    click.echo(verdict_in_words(verdict))
    if not verdict.holds:
        sys.exit(1)
    click.echo(f"No. {verdict.last_number} has the seal {verdict.last_seal or '-'}")


@commands.command("seal")
def seal() -> None:
    """Seal what is not sealed yet; the running program does this by itself."""
    click.echo(f"{sealing.seal_new()} sealed")


@commands.command("prune")
def prune() -> None:
    """Remove what is older than AUDIT_RETENTION_DAYS; the running program does this by itself."""
    click.echo(f"{retention.prune()} removed")
