"""`flask admins …`: administrators from the shell of the machine, where nobody has to be signed in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from flask.cli import AppGroup

from webapp.admins import service
from webapp.admins.models import Admin
from webapp.admins.permissions import SUPERADMIN
from webapp.audit import service as audit
from webapp.config import current_settings
from webapp.errors import AppError

P = ParamSpec("P")

group = AppGroup("admins", help="Administrators: make, list, disable, enable.")


def _in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Say a refusal on standard error and end with 1."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(error.sentence) from None

    return told


@group.command("create")
@click.argument("username")
@click.option("--email", required=True, help="address of the administrator")
@click.option("--role", default=SUPERADMIN, show_default=True, help="name of the role")
@click.option(
    "--password-stdin", is_flag=True, help="read the password from standard input instead of asking"
)
@_in_words
def create(username: str, email: str, role: str, *, password_stdin: bool) -> None:
    """Make an administrator; the password is asked for."""
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    admin = service.add_admin(
        actor=audit.SYSTEM, username=username, email=email, password=password, role=role
    )
    click.echo(f"{admin.username} is an administrator with the role {role}.")


@group.command("list")
def list_() -> None:
    """List administrators: name, address, role, state."""
    for admin in service.all_admins():
        click.echo("\t".join((admin.username, admin.email, admin.role.name, admin.state)))


@group.command("disable")
@click.argument("username")
@_in_words
def disable(username: str) -> None:
    """Disable an administrator; every session ends at once."""
    admin = _named(username)
    service.disable_admin(actor=audit.SYSTEM, public_id=admin.public_id)
    click.echo(f"{admin.username} is disabled.")


@group.command("enable")
@click.argument("username")
@_in_words
def enable(username: str) -> None:
    """Let a disabled administrator sign in again."""
    admin = _named(username)
    service.enable_admin(actor=audit.SYSTEM, public_id=admin.public_id)
    click.echo(f"{admin.username} is enabled.")


@group.command("reset-second-factor")
@click.argument("username")
@_in_words
def reset_second_factor(username: str) -> None:
    """Take the second factor of an administrator away who lost it; every session ends."""
    admin = _named(username)
    service.reset_second_factor(actor=audit.SYSTEM, public_id=admin.public_id)
    click.echo(f"{admin.username} signs in with the password alone, until a new second factor is set up.")


@group.command("setup-link")
@_in_words
def setup_link() -> None:
    """Print the one-time link to the first administrator."""
    token = service.new_setup_token()
    if token is None:
        raise click.ClickException("There is an administrator already: flask admins list")
    click.echo(f"{current_settings().base_url}/admin/setup/{token}")


def _named(username: str) -> Admin:
    admin = service.find_admin(username)
    if admin is None:
        raise click.ClickException(f"There is no administrator named {username}.")
    return admin
