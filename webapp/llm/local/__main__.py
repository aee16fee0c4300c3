"""Supervise the embedded model: `python -m webapp.llm.local INSTANCE auto|PATH`, until standard input closes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from webapp.llm.local import endpoint, weights
from webapp.llm.local.supervisor import Plan, Supervisor


def main() -> None:
    """Find the file, then keep the model running."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the server ends us, in order
    instance, local_model = Path(sys.argv[1]).resolve(), sys.argv[2]
    closed = threading.Event()
    threading.Thread(target=_watch_stdin, args=(closed,), daemon=True).start()
    endpoint.publish(instance, "starting")
    path = weights.find(local_model, instance)
    demonstration = local_model == "auto"
    if path is None or (demonstration and not weights.is_genuine(path)):
        endpoint.publish(instance, "no_weights" if path is None else "bad_weights")
        closed.wait()
        endpoint.withdraw(instance)
        return
    supervisor = Supervisor(
        instance, Plan(path, weights.model_name(local_model), demonstration=demonstration)
    )
    threading.Thread(target=_stop_when, args=(closed, supervisor), daemon=True).start()
    supervisor.run()


def _stop_when(closed: threading.Event, supervisor: Supervisor) -> None:
    closed.wait()
    supervisor.stop()


def _watch_stdin(closed: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    closed.set()


if __name__ == "__main__":
    main()
