"""Commands for the keys of secrets in the database."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import deployment_settings, new_key
from webapp.database import rotation
from webapp.database.sealed import keys_in_force
from webapp.settings.overlay import current_overlay

commands = AppGroup("crypto", help="The keys of secrets in the database.")


@commands.command("status")
def status() -> None:
    """Tell where the keys come from, and how many secrets each kind of key seals."""
    path = deployment_settings().keys_file
    click.echo(f"Keys: {len(keys_in_force())}, from {path or 'ENCRYPTION_KEYS in the environment'}")
    found = rotation.standing()
    click.echo(f"Secrets under the first key: {found.current}")
    click.echo(f"Secrets under an older key: {found.old}")
    click.echo(f"Secrets that no key opens: {found.lost}")


@commands.command("rotate")
@click.option("--drop-old", is_flag=True, help="Forget all keys but the first, once it seals everything.")
def rotate(*, drop_old: bool) -> None:
    """Make a new key, seal every secret with it, and keep the old keys until --drop-old.

    Goes on with a rotation that was interrupted. The running program follows without a restart.
    """
    path = deployment_settings().keys_file
    if drop_old:
        _drop_old(path)
        return
    before = rotation.standing()
    if path is not None and not before.old:
        _write(path, [new_key(), *keys_in_force()])
    elif path is None and not before.old:
        _tell_how()
        return
    done = rotation.seal_anew()
    after = rotation.standing()
    audit.record_alone(Event.KEYS_ROTATED, actor=audit.SYSTEM, after={"sealed": done, "lost": after.lost})
    current_overlay().changed()
    click.echo(f"{done} secrets are sealed with the first key now.")
    if after.lost:
        click.echo(f"{after.lost} secrets could not be opened by any key, and were left as they are.")
    if path is None:
        click.echo("Take the old keys out of ENCRYPTION_KEYS now, and restart all processes.")
    else:
        click.echo("Old keys still open what backups hold; forget them with: flask crypto rotate --drop-old")


def _drop_old(path: Path | None) -> None:
    if path is None:
        click.echo("The keys are in ENCRYPTION_KEYS: take the old ones out there, and restart all processes.")
        return
    found, keys = rotation.standing(), keys_in_force()
    if found.old:
        click.echo(
            f"{found.old} secrets are still sealed with an old key: run flask crypto rotate first.", err=True
        )
        sys.exit(1)
    _write(path, keys[:1])
    audit.record_alone(Event.KEYS_ROTATED, actor=audit.SYSTEM, after={"dropped": len(keys) - 1})
    click.echo(f"{len(keys) - 1} old keys are forgotten. Backups from before need them: {path} of that time.")


def _tell_how() -> None:
    click.echo("The keys come from ENCRYPTION_KEYS. To change them:")
    click.echo(f"  1. Put this new key and a comma before the others: {new_key()}")
    click.echo("  2. Restart all processes.")
    click.echo("  3. Run flask crypto rotate again: it seals every secret with the new key.")


def _write(path: Path, keys: list[str]) -> None:
    """Replace the file whole: whoever reads it sees the old keys or the new ones."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(",".join(keys))
    draft.replace(path)
