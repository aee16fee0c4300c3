"""What runs beside the requests of a process: the clock of scheduled work, and the engine behind it.

Flask-APScheduler only ticks, once a second; what is due, and whose it is, is decided in the database, so that any
number of processes may tick.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from apscheduler.jobstores.base import JobLookupError
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError

from webapp import metrics
from webapp.accounts import jobs as accounts_jobs
from webapp.audit import jobs as audit_jobs
from webapp.backup import jobs as backup_jobs
from webapp.chat import jobs as chat_jobs
from webapp.config import ROOT, Settings
from webapp.database import db
from webapp.extensions import scheduler
from webapp.identity import jobs as identity_jobs
from webapp.lib import clock
from webapp.llm import jobs as llm_jobs
from webapp.mail import jobs as mail_jobs
from webapp.tasks import built_in, cli, digest, rules
from webapp.tasks.broker import Sender, make_celery
from webapp.tasks.context import install_log_handler
from webapp.tasks.engine import EXTENSION, Engine, engine
from webapp.tasks.pool import Pool
from webapp.tasks.registry import task_registry
from webapp.web import jobs as web_jobs

log = logging.getLogger(__name__)

RUNNER: Final = (sys.executable, "-m", "webapp.runner")
TICK: Final = "task_tick"
CLOCK_WATCH: Final = "task_clock_watch"
STOP_SECONDS: Final = 10.0  # for runs under way in `flask scheduler run`
# How the recurring work is called, and what it does.
WORDS: Final = {
    "deliver_mail": (_l("Deliver mail"), _l("Sends what waits in the mail queue.")),
    "expire_mail": (_l("Clear the mail queue"), _l("Erases mails that were sent or are too old to be sent.")),
    "seal_audit": (_l("Seal the audit log"), _l("Links new entries into the chain that shows any change.")),
    "prune_audit": (
        _l("Prune the audit log"),
        _l("Removes entries that are older than the settings keep them."),
    ),
    "purge_codes": (_l("Clear mailed codes"), _l("Deletes codes that were used or have expired.")),
    "purge_sessions": (_l("Clear sign-ins"), _l("Deletes sessions that ended long ago.")),
    "purge_sign_ins": (_l("Clear the record of sign-ins"), _l("Deletes old entries of who signed in where.")),
    "purge_devices": (_l("Clear known devices"), _l("Deletes devices that were not used for long.")),
    "purge_throttles": (_l("Clear counts of failed sign-ins"), _l("Deletes counts that no longer matter.")),
    "purge_links": (_l("Clear one-time links"), _l("Deletes links that were used or have expired.")),
    "purge_tokens": (_l("Clear API tokens"), _l("Deletes tokens that ended long ago.")),
    "erase_accounts": (
        _l("Erase deleted accounts"),
        _l("Erases accounts whose owners asked for it, once the time to think it over has passed."),
    ),
    "purge_idempotency_keys": (
        _l("Forget answered calls"),
        _l("Deletes the answers kept for calls of the API that are repeated with the same key."),
    ),
    "roll_up_usage": (
        _l("Add up usage"),
        _l("Adds up the usage of days that are over, so that figures over weeks stay fast."),
    ),
    "recover_answers": (
        _l("Find lost answers"),
        _l("Keeps the text of answers whose process is gone, so that they can be continued."),
    ),
    "clear_logs": (_l("Clear log files"), _l("Deletes log files that were replaced long ago.")),
    "purge_deleted_conversations": (
        _l("Clear deleted chats"),
        _l("Deletes for good what people put in the bin a while ago."),
    ),
    "purge_answers_for_programs": (
        _l("Clear answers for programs"),
        _l("Deletes what was asked and answered over the API without a chat, a day later."),
    ),
}
# Recurring work of the program itself: short, and harmless when it is done twice.
JOBS: Final[list[tuple[str, Callable[[], object], int]]] = [
    *mail_jobs.JOBS,
    *audit_jobs.JOBS,
    *identity_jobs.JOBS,
    *accounts_jobs.JOBS,
    *llm_jobs.JOBS,
    *chat_jobs.JOBS,
    *web_jobs.JOBS,
]


assert digest.NAME  # noqa: S101 - imported for what it registers

scheduler_group = AppGroup("scheduler", help="Scheduled work, in a process of its own.")


@scheduler_group.command("run")
def run_scheduler() -> None:
    """Do scheduled work until TERM or Ctrl-C; any number of these may run beside each other."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    metrics.start(app)
    beat = Beat(app.instance_path)
    start(app, always=True, beat=beat)
    click.echo("Scheduled work is done here until TERM or Ctrl-C.")
    while not stopping.wait(1):
        pass
    click.echo("Ending; what runs has a moment to finish.")
    stop(app, STOP_SECONDS)
    beat.end()


class Beat:
    """A file that is touched at each tick, so that what supervises this process can see the clock go."""

    def __init__(self, instance_path: str) -> None:
        self._path = Path(instance_path, "run", f"scheduler-{socket.gethostname()}.beat")
        self._path.parent.mkdir(parents=True, exist_ok=True)

    def touch(self) -> None:
        """Say that the clock has ticked; a full disk does not stop it."""
        with contextlib.suppress(OSError):
            self._path.touch()

    def end(self) -> None:
        """Say that this process ended in order."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the functions that tasks may run, and make the engine; starts nothing."""
    for name, job, seconds in JOBS:
        label, description = WORDS.get(name, (None, None))
        task_registry.register(
            name=name,
            interval_seconds=seconds,
            label=label,
            description=description,
            isolated=False,
            creatable=False,
            idempotent=True,
        )(job)
    _register_backup(settings)
    for module in settings.task_modules:
        importlib.import_module(module)
    install_log_handler()
    app.cli.add_command(cli.group)
    app.cli.add_command(scheduler_group)
    app.extensions[EXTENSION] = Engine(
        app,
        lambda: Pool(RUNNER, ROOT, settings.for_another_process()),
        slots=settings.task_slots,
        sender=Sender(make_celery(settings)) if settings.task_engine == "celery" else None,
    )


def _register_backup(settings: Settings) -> None:
    off = settings.backup_schedule == "off"
    task_registry.register(
        name="make_backup",
        cron=None if off else settings.backup_schedule,
        timezone=settings.default_timezone,
        label=_l("Make a backup"),
        description=_l("Writes the database and the uploads into a file in the folder of backups."),
        timeout_seconds=6 * 3600,
        retries=2,
        backoff_seconds=600,
        idempotent=True,
    )(backup_jobs.make_backup)


def start(app: Flask, *, always: bool = False, beat: Beat | None = None) -> None:
    """Start the clock, unless the settings leave scheduled work to other processes; harmless when it runs."""
    settings: Settings = app.extensions["settings"]
    if (settings.scheduler == "off" and not always) or scheduler.running:
        return
    scheduler.init_app(app)
    with app.app_context():
        _guarded(built_in.ensure_built_in)
    # Two instances: the second one of a tick that takes long returns at once, without a warning each second.
    scheduler.add_job(
        TICK, lambda: tick(app, beat), trigger="interval", seconds=rules.TICK_SECONDS, max_instances=2
    )
    scheduler.start()
    _watch_clock(app)


def tick(app: Flask, beat: Beat | None = None) -> None:
    """Do what is due now; a failure is logged, and the next tick comes all the same."""
    with app.app_context():
        _guarded(engine().tick)
    if beat is not None:
        beat.touch()


def stop(app: Flask, seconds: float = 0.0) -> None:
    """Stop the clock, give the runs of this process so long to end, and end them."""
    _stopped_watching(app).set()
    if scheduler.running:
        scheduler.shutdown(wait=False)
    with app.app_context():
        engine().close(seconds)


def _watch_clock(app: Flask) -> None:
    """Tick on when the clock is set back: APScheduler would wait until the time of its next tick comes again."""
    stopped, clock_on_the_wall = _stopped_watching(app), clock.StepWatch()
    stopped.clear()

    def watch() -> None:
        while not stopped.wait(rules.TICK_SECONDS):
            if clock_on_the_wall.step() < 0:
                log.warning("the clock was set back")
                with contextlib.suppress(JobLookupError):  # it is being stopped
                    scheduler.modify_job(TICK, next_run_time=clock.utc_now())

    threading.Thread(target=watch, name="task-clock", daemon=True).start()


def _stopped_watching(app: Flask) -> threading.Event:
    event: threading.Event = app.extensions.setdefault(CLOCK_WATCH, threading.Event())
    return event


def _guarded(duty: Callable[[], None]) -> None:
    try:
        duty()
    except SQLAlchemyError as error:
        log.warning("scheduled work waits for the database", extra={"error": type(error).__name__})
    except Exception:
        log.exception("tick failed")
    finally:
        db.session.remove()
