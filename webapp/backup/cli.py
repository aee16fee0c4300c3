"""`flask backup …`: backups from the shell of the machine, and moving from one kind of database to another."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from webapp.backup import files, service
from webapp.backup.errors import BackupError
from webapp.config import current_settings

P = ParamSpec("P")

group = AppGroup("backup", help="Backups: create, verify, restore, list.")
_passphrase = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the passphrase (or a key of your own making); by default BACKUP_PASSPHRASE, if that is set.",
)
_path = click.argument("path", type=click.Path(dir_okay=False, path_type=Path))


def _in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Say what went wrong on standard error and end with 1."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BackupError as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or type(error).__name__)
            raise click.ClickException(f"The database does not do it: {reason}") from None

    return told


@group.command("create")
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
@_passphrase
@click.option("--plain", is_flag=True, help="Do not encrypt, although BACKUP_PASSPHRASE is set.")
@click.option(
    "--with-keys", is_flag=True, help="Carry the deployment's keys too; only in an encrypted backup."
)
@_in_words
def create(path: Path | None, passphrase_file: Path | None, *, plain: bool, with_keys: bool) -> None:
    """Write a backup of the database and the uploads to PATH, by default to a new name in the folder of backups.

    The program may go on meanwhile: the backup holds one moment.
    """
    passphrase = "" if plain else _phrase(passphrase_file)
    made = service.create(path=path, passphrase=passphrase, with_keys=with_keys, say=_say)
    click.echo(f"{made.path}")
    how = "encrypted" if passphrase else "not encrypted"
    click.echo(f"{made.rows:,} rows, {made.files:,} files, {made.size:,} bytes, {how}", err=True)
    if not with_keys:
        click.echo(
            "The keys are not in it: keep instance/encryption_keys and instance/secret_key elsewhere.",
            err=True,
        )


@group.command("verify")
@_path
@_passphrase
@_in_words
def verify(path: Path, passphrase_file: Path | None) -> None:
    """Read the backup at PATH from beginning to end; exit code 1 where it is not whole, with the first broken entry."""
    found = service.verify(path, passphrase=_phrase(passphrase_file), say=_say)
    header = found.header
    click.echo(
        f"Whole: {found.rows:,} rows in {len(found.tables)} tables, {found.files:,} files. Made at "
        f"{header.made_at:%Y-%m-%d %H:%M:%S} UTC from {header.database}, revision {header.revision}."
    )
    if found.keys:
        click.echo(f"It carries keys: {', '.join(found.keys)}.")
    else:
        click.echo(f"It needs the keys {', '.join(header.prints.secrets)}; audit log: {header.prints.audit}.")


@group.command("restore")
@_path
@_passphrase
@click.option("--replace", is_flag=True, help="Replace everything in a database that is not empty.")
@click.option("--with-keys", is_flag=True, help="Use the keys that the backup carries from now on.")
@_in_words
def restore(path: Path, passphrase_file: Path | None, *, replace: bool, with_keys: bool) -> None:
    """Put the backup at PATH into the database of DATABASE_URL, of whichever kind, and the uploads back.

    Whole or not at all. Stop the program first.
    """
    done = service.restore(
        path, passphrase=_phrase(passphrase_file), replace=replace, with_keys=with_keys, say=_say
    )
    click.echo(f"Restored: {done.contents.rows:,} rows, {done.contents.files:,} files.")
    for line in done.remaining:
        click.echo(line, err=True)


@group.command("list")
def list_() -> None:
    """List the backups in the folder, the newest first: time (UTC), why, size in bytes, encrypted or not, path."""
    for each in files.stored():
        how = "encrypted" if each.encrypted else "plain"
        cells = (f"{each.made_at:%Y-%m-%d %H:%M:%S}", each.reason.value, str(each.size), how, str(each.path))
        click.echo("\t".join(cells))


def _phrase(path: Path | None) -> str:
    if path is None:
        return current_settings().backup_passphrase.get_secret_value()
    try:
        phrase = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not text'}."
        ) from None
    if not phrase:
        raise BackupError(f"{path} is empty.")
    return phrase


def _say(line: str) -> None:
    click.echo(line, err=True)
