"""`flask usage …`: the usage ledger from the shell of the machine."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webapp.llm import rollup

group = AppGroup("usage", help="The usage ledger: add it up by the day.")


@group.command("roll-up")
@click.option("--anew", is_flag=True, help="Forget what was added up, and start from the first entry.")
def roll_up(*, anew: bool) -> None:
    """Add up the days that are over, as the task does every hour."""
    days = rollup.rebuild() if anew else rollup.roll_up()
    click.echo(f"{days} days were added up.")
