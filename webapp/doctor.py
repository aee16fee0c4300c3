"""`flask doctor`: everything around the program looked at, from the shell; the dashboard's system check and more."""

from __future__ import annotations

import json
import smtplib
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from webapp.admins import service as admins
from webapp.config import Unsafe, current_settings, deployment_settings, unsafe
from webapp.lib import checks
from webapp.lib.checks import Finding

SECONDS: Final = 10
SIGNS: Final = {"ok": "ok  ", "warn": "look", "bad": "BAD ", "idle": "-   "}
Line = tuple[str, str, Finding]  # name, label, what was found


def init_app(app: Flask) -> None:
    """Register the command."""
    app.cli.add_command(doctor)


@click.command("doctor")
@with_appcontext
@click.option("--deploy", is_flag=True, help="Also refuse what is unsafe where others reach the program.")
@click.option(
    "--no-network", is_flag=True, help="Leave out what goes through the mail server and PUBLIC_URL."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def doctor(*, deploy: bool, no_network: bool, as_json: bool) -> None:
    """Look at the database, the tables, the clock, disk, mail, models, scheduler, Redis and the proxy.

    Exit code 1 where something is broken, or with --deploy unsafe.
    """
    lines = list(_looked_at(network=not no_network))
    faults = list(deployment_faults(current_app)) if deploy else []
    if as_json:
        click.echo(json.dumps(_as_json(lines, faults), ensure_ascii=False, indent=1))
    else:
        for _name, label, finding in lines:
            click.echo(
                f"{SIGNS[finding.state]} {label}: {finding.value}"
                + (f" · {finding.fix}" if finding.fix else "")
            )
        for fault in faults:
            click.echo(f"UNSAFE {fault}")
        if deploy and not faults:
            click.echo("Nothing unsafe was found.")
    if faults or any(finding.state == "bad" for _, _, finding in lines):
        sys.exit(1)


def deployment_faults(app: Flask) -> Iterator[Unsafe]:
    """Yield what is unsafe about the deployment: its settings, its tables, its administrators."""
    yield from unsafe(deployment_settings())
    if app.debug:
        yield Unsafe("FLASK_DEBUG", "take it away: its console runs whatever a visitor types.", refused=True)
    found = {check.name: finding for check, finding in checks.run(app)}
    for name, setting in (
        ("uploads", "INSTANCE_PATH"),
        ("migrations", "DATABASE_URL"),
        ("secrets", "INSTANCE_PATH"),
    ):
        finding = found.get(name)
        if finding is not None and finding.state != "ok":
            yield Unsafe(setting, f"{finding.value}. {finding.fix}")
    try:
        for name in admins.with_default_passwords():
            yield Unsafe("administrator", f"{name} has a password that everybody tries first: change it now.")
    except SQLAlchemyError:
        yield Unsafe(
            "DATABASE_URL", "the database does not answer, so its administrators could not be looked at."
        )


def _looked_at(*, network: bool) -> Iterator[Line]:
    for check, finding in checks.run(current_app):
        yield check.name, str(check.label), finding
    if network:
        yield "smtp", "Mail server", _mail_server()
        yield "proxy", "Streams through PUBLIC_URL", _streams()


def _mail_server() -> Finding:
    """Connect as for sending a mail, and send none."""
    settings = current_settings()
    if not settings.mail_server:
        return Finding("idle", "not configured")
    where = (settings.mail_server, settings.mail_port)
    try:
        if settings.mail_use_ssl:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                *where, timeout=SECONDS, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(*where, timeout=SECONDS)
        with connection:
            if settings.mail_use_tls and not settings.mail_use_ssl:
                connection.starttls(context=ssl.create_default_context())
            if settings.mail_username:
                connection.login(settings.mail_username, settings.mail_password.get_secret_value())
            connection.noop()
    except smtplib.SMTPAuthenticationError:
        return Finding("bad", "refuses the user", "Look at MAIL_USERNAME and MAIL_PASSWORD.")
    except (OSError, smtplib.SMTPException) as error:
        fix = "Look at MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS and MAIL_USE_SSL, and at what is in between."
        return Finding("bad", f"no connection ({type(error).__name__})", fix)
    return Finding("ok", "lets us in")


def _streams() -> Finding:
    """Open a short stream the way people's browsers do, and see whether it comes bit by bit."""
    settings = deployment_settings()
    if not settings.public_url:
        return Finding("idle", "PUBLIC_URL is not set")
    request = urllib.request.Request(  # noqa: S310 - the settings allow http and https only
        f"{settings.base_url}/healthz/stream", headers={"Accept": "text/event-stream"}
    )
    came: list[float] = []
    seen: dict[str, Any] = {}
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            for line in response:
                if line.startswith(b"data: "):
                    came.append(time.monotonic())
                    seen = seen or json.loads(line.removeprefix(b"data: "))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return Finding("bad", f"no stream: {reason}", "Is the program up, and does PUBLIC_URL lead to it?")
    if len(came) < 2 or came[-1] - came[0] < seen["lasts_seconds"] / 2:
        fix = "Turn buffering off in the proxy (nginx: proxy_buffering off), or answers appear all at once."
        return Finding("bad", "the proxy holds them back", fix)
    if seen["forwarded"] and not settings.proxy_count:
        fix = f"A proxy is in front: set PROXY_COUNT, or everybody comes from {seen['address']}."
        return Finding("warn", "come bit by bit, from an address that is the proxy's", fix)
    if settings.https and seen["scheme"] != "https":
        fix = "Let the proxy set X-Forwarded-Proto, and set PROXY_COUNT."
        return Finding("warn", "come bit by bit, but seem to be plain HTTP", fix)
    return Finding("ok", f"come bit by bit; we are seen as {seen['address']} over {seen['scheme']}")


def _as_json(lines: list[Line], faults: list[Unsafe]) -> dict[str, Any]:
    return {
        "checks": [
            {
                "name": name,
                "label": label,
                "state": found.state,
                "value": str(found.value),
                "fix": str(found.fix),
            }
            for name, label, found in lines
        ],
        "unsafe": [{"name": fault.name, "fault": fault.sentence} for fault in faults],
    }
