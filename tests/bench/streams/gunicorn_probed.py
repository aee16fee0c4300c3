"""The product's own server settings, and the probe in its loop."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from tests.bench.streams import probe

globals().update(runpy.run_path(str(Path(__file__).resolve().parents[3] / "gunicorn.conf.py")))


def post_worker_init(worker: Any) -> None:
    """Start the probe where the loop runs."""
    del worker
    probe.start_in_gevent()
