"""Celery, where TASK_ENGINE says so: the way runs reach its workers, over Redis.

A message holds the number of a run and nothing else, as JSON; what is to be done is read from the database. The one
place that imports Celery, an extra, when it is first needed.
"""

from __future__ import annotations

import importlib.util
import logging
import ssl
from collections.abc import Sequence
from typing import Any, Final

from webapp.config import Settings, SettingsError
from webapp.lib import clock
from webapp.tasks import claims
from webapp.tasks.claims import Which

log = logging.getLogger(__name__)

RUN_TASK: Final = "agent_tools.run"
QUEUE: Final = "agent-tools-runs"
CONNECT_SECONDS: Final = 3.0
SEND_AT_ONCE: Final = 200
PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # after so many failures in a row


def check_installed() -> None:
    """Raise SettingsError where TASK_ENGINE=celery is set and Celery is not installed."""
    if importlib.util.find_spec("celery") is None:
        raise SettingsError(
            "TASK_ENGINE: celery is not installed; install it with "
            "pip install --require-hashes -r requirements-celery.txt, or set TASK_ENGINE=embedded."
        )


def make_celery(settings: Settings) -> Any:
    """Return the Celery application; it connects to nothing before it is used."""
    check_installed()
    from celery import Celery

    url = settings.celery_broker_url or settings.redis_url
    celery = Celery("agent_tools", broker=url, set_as_current=False)
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_pool="threads",
        worker_concurrency=settings.task_slots,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_connect_timeout": CONNECT_SECONDS, "socket_keepalive": True},
        timezone="UTC",
    )
    if url.startswith("rediss://"):
        celery.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    return celery


class Sender:
    """Sends runs that are ready to the workers; used by one thread at a time, with an application context.

    A broker that is away costs one attempt to connect now and then; what could not be sent stays queued.
    """

    def __init__(self, celery: Any) -> None:
        celery.conf.broker_transport_options.update(socket_timeout=CONNECT_SECONDS, max_retries=1)
        self._celery = celery
        self._connection: Any = None
        self._failures = 0
        self._next_try = 0.0

    def send_ready(self, which: Which) -> int:
        """Send the runs that are ready and were not sent yet, or whose messages are lost; return how many."""
        if clock.monotonic() < self._next_try or not claims.is_to_be_sent(which):
            return 0
        sent = 0
        try:
            waiting = self._waiting()
            while run_ids := claims.mark_sent(which, SEND_AT_ONCE, again=waiting == 0):
                sent += self._send(run_ids)
                if len(run_ids) < SEND_AT_ONCE:
                    break
        except self._errors() as error:
            self._failed(error)
        else:
            self._failures = 0
        return sent

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    def _waiting(self) -> int:
        """Return how many messages wait in the queue; connects where there is no connection yet."""
        if self._connection is None:
            self._connection = self._celery.connection_for_write()
            self._connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
        queue = self._celery.amqp.queues[QUEUE](self._connection.default_channel)
        return int(queue.queue_declare().message_count)

    def _send(self, run_ids: Sequence[int]) -> int:
        """Send messages; those that cannot be sent are marked so, and the error is raised."""
        done = 0
        try:
            with self._celery.amqp.Producer(self._connection) as producer:
                for run_id in run_ids:
                    self._celery.send_task(RUN_TASK, args=[run_id], producer=producer, retry=False)
                    done += 1
        finally:
            if done < len(run_ids):
                claims.mark_unsent(run_ids[done:])
        return done

    def _errors(self) -> tuple[type[BaseException], ...]:
        from kombu.exceptions import OperationalError

        connection = self._connection or self._celery.connection_for_write()
        return (OperationalError, OSError, *connection.connection_errors, *connection.channel_errors)

    def _failed(self, error: BaseException) -> None:
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self._next_try = clock.monotonic() + pause
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()
        log.warning("the broker is away; runs wait", extra={"error": type(error).__name__, "again_in": pause})
