"""The process that holds the model and answers on a port of this machine.

Run as a file, never imported by the application. The first line on standard input is a JSON object with what
to load; one JSON line on standard output says how that went. The process ends when standard input closes, so
that it cannot outlive whoever started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import Any, Final

REQUEST_BYTES: Final = 65_536


def main() -> None:
    """Load the model, say so, and serve until standard input closes."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the leash ends us, in order
    report_to = os.dup(1)
    os.dup2(2, 1)  # the engine prints to standard output, which is for our one line
    order = json.loads(sys.stdin.readline(REQUEST_BYTES))
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    report = _load(order)
    os.write(report_to, (json.dumps(report) + "\n").encode())
    os.close(report_to)
    if report["state"] == "ready":
        threading.Event().wait()
    os._exit(1)


def _load(order: dict[str, Any]) -> dict[str, Any]:
    """Return the report: ready with its port, or what stands in the way."""
    try:
        import xllamacpp
    except ImportError as error:
        state = "no_libgomp" if "libgomp" in str(error) else "no_engine"
        return {"state": state, "detail": str(error)}
    try:
        server = xllamacpp.Server(_parameters(xllamacpp, order))
    except RuntimeError as error:
        return {"state": "failed", "detail": str(error)}
    _kept.append(server)
    return {"state": "ready", "port": int(str(server.listening_address).rpartition(":")[2])}


def _parameters(engine: Any, order: dict[str, Any]) -> Any:
    """Return the engine's parameters; its own defaults are for one trusted person with much memory."""
    params = engine.CommonParams()
    params.model.path = order["path"]
    params.model_alias = {order["model"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # any free one
    params.api_keys = [order["key"]]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    params.cache_ram_mib = 0  # else up to 8 GiB of old prompts
    params.n_parallel = order["slots"]
    params.n_ctx = order["slots"] * order["context_tokens"]  # shared by the slots
    params.n_predict = order["max_tokens"]  # for requests that name no bound
    params.fit_params = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = order["threads"]
    params.cpuparams.poll = params.cpuparams_batch.poll = (
        0  # waiting threads leave the core to the web server
    )
    params.verbosity = 1
    return params


def _end_with_stdin() -> None:
    """End this process when standard input closes; below the interpreter, which the engine may be holding."""
    with contextlib.suppress(OSError):
        while os.read(0, REQUEST_BYTES):
            pass
    os._exit(0)


_kept: list[Any] = []  # the engine's server stops when its object goes away


if __name__ == "__main__":
    main()
