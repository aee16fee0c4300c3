"""`flask users …`: accounts from the shell of the machine; works where there is no mail."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from flask.cli import AppGroup
from sqlalchemy import select

from webapp.accounts import service
from webapp.accounts.models import User
from webapp.audit import service as audit
from webapp.database import db
from webapp.errors import AppError

P = ParamSpec("P")

group = AppGroup("users", help="Users: add, list, suspend, restore, and links to set a password.")


def _in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Say a refusal on standard error and end with 1."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except AppError as error:
            raise click.ClickException(error.sentence) from None

    return told


@group.command("add")
@click.argument("username")
@click.option("--email", required=True, help="address of the user")
@click.option("--name", default="", help="name that is shown, by default the user name")
@_in_words
def add(username: str, email: str, name: str) -> None:
    """Add a user and print a one-time link to set the password."""
    user = service.invite(actor=audit.SYSTEM, email=email, username=username, display_name=name, mail=False)
    click.echo(f"{user.username} is added. The link to set a password works once, for seven days:")
    click.echo(service.reset_link(user, actor=audit.SYSTEM))


@group.command("list")
@click.option("--state", default="", help="only those in this state: active, suspended, invited, deleting")
def list_(state: str) -> None:
    """List users: name, address, state."""
    query = select(User).order_by(User.username_canonical)
    if state:
        query = query.where(User.state == state)
    for user in db.session.scalars(query.execution_options(yield_per=500)):
        click.echo(f"{user.username}\t{user.email}\t{user.state}")


@group.command("suspend")
@click.argument("name")
@click.option("--reason", default="", help="why; kept in the audit log")
@_in_words
def suspend(name: str, reason: str) -> None:
    """Let nobody use an account any more; all access ends at once."""
    user = _get(name)
    service.suspend(user, actor=audit.SYSTEM, reason=reason)
    click.echo(f"{user.username} is suspended.")


@group.command("restore")
@click.argument("name")
@_in_words
def restore(name: str) -> None:
    """Let a suspended account be used again."""
    user = _get(name)
    service.restore(user, actor=audit.SYSTEM)
    click.echo(f"{user.username} can sign in again.")


@group.command("reset-link")
@click.argument("name")
@_in_words
def reset_link(name: str) -> None:
    """Print a one-time link with which a user sets a password; older links end."""
    click.echo(service.reset_link(_get(name), actor=audit.SYSTEM))


def _get(name: str) -> User:
    user = service.find_by_name(name)
    if user is None:
        raise click.ClickException(f"There is no user {name}.")
    return user
