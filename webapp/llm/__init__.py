"""Language models: providers, catalogue, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: Flask) -> None:
    """Bind the models of this deployment to the application."""
    # Imported here, because the processes of the embedded model import this package and should stay small.
    from webapp.accounts import service as accounts
    from webapp.llm import cli, exporting, reports, service
    from webapp.llm.words import SETTINGS_LINK
    from webapp.settings import service as settings

    service.init_app(app)
    settings.add_link(app, "models", SETTINGS_LINK)
    accounts.register_export(app, "llm", exporting.export)
    accounts.register_usage(app, reports.usage_of_users)
    app.cli.add_command(cli.group)


def finish(seconds: float) -> None:
    """Give the programs that read an answer so long, and end the rest."""
    from webapp.llm import service

    service.calls().finish(seconds)


def start() -> None:
    """Import what the configured providers need, so that the first answer does not wait for it."""
    from webapp.llm import service

    service.prepare()
