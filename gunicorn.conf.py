"""The settings of gunicorn, for `make run` and for containers: `gunicorn --config gunicorn.conf.py wsgi:app`.

What is not set here keeps gunicorn's strict default: no obsolete folding, no odd methods or versions, header
names that could be confused are dropped.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from webapp import serve
from webapp.config import SettingsError, load_settings, unsafe
from webapp.lib import counting_folder

try:
    settings = load_settings()
except SettingsError as error:
    raise SystemExit(str(error)) from None

if settings.profile == "production":
    told = list(unsafe(settings))
    for each in told:
        sys.stderr.write(f"unsafe: {each}\n")
    if any(each.refused for each in told):
        raise SystemExit("The server does not start with what is unsafe above: flask doctor --deploy")

model = serve.model_process(settings)
CONNECTION_SECONDS = 10  # of the time at TERM; what is left over commits the answers

wsgi_app = "wsgi:app"
proc_name = "agent-tools"
bind = serve.bind_address(settings)
backlog = 1024

workers = settings.web_concurrency
worker_class = "webapp.worker.Worker"
worker_connections = 4000  # a stream costs one for as long as its page is open
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # heartbeats must not wait for a disk

timeout = 60  # without a heartbeat for so long, a worker is replaced
# What a worker gets at TERM: to be left alone by balancers, for open connections, and for live answers.
graceful_timeout = settings.drain_seconds + 25
keepalive = 10  # also the longest wait for a request's headers

limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
# Forwarded headers are believed by PROXY_COUNT, in the application; gunicorn itself believes none.
forwarded_allow_ips = ""
forwarder_headers = ""
proxy_allow_ips = ""

accesslog = None  # the application logs its requests
loglevel = "info" if settings.profile == "production" else "warning"
control_socket_disable = True  # it would be made in the home folder


def on_starting(server: Any) -> None:
    """Allow as many open files as the system lets us: each stream is one."""
    del server
    serve.raise_file_limit()
    counting_folder.forget_counts(settings.instance_path)


def when_ready(server: Any) -> None:
    """Start the embedded model beside the workers; a terminal that is closed ends the local server."""
    model.start()
    if settings.profile != "production":
        server.handle_hup = server.handle_term


def post_fork(server: Any, worker: Any) -> None:
    """Leave the model's leash to the master alone, so that its end is the model's end; end when told to.

    Until the worker has set its own handlers, it has those of the master, which do nothing in here: it would go on
    until it is killed for it.
    """
    del server
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(each, signal.SIG_DFL)
    model.let_go()
    worker.cfg.set("graceful_timeout", CONNECTION_SECONDS)


def on_exit(server: Any) -> None:
    """End the embedded model."""
    del server
    model.stop()
