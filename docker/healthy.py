"""Whether the container works, for Docker: `healthy.py` asks the server in here, `healthy.py scheduler` looks at its beat."""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

BEAT_SECONDS = 60


def server_is_ready() -> bool:
    """Ask under the name that people use, since no other is answered."""
    port = os.environ.get("PORT", "8000")
    name = urlsplit(os.environ.get("PUBLIC_URL", "")).netloc or "localhost"
    question = urllib.request.Request(f"http://127.0.0.1:{port}/healthz/ready", headers={"Host": name})
    with urllib.request.urlopen(question, timeout=4) as answer:
        return bool(answer.status == 200)


def scheduler_beats() -> bool:
    """Tell whether the clock of this container has ticked lately."""
    beat = Path(os.environ["INSTANCE_PATH"], "run", f"scheduler-{socket.gethostname()}.beat")
    return time.time() - beat.stat().st_mtime < BEAT_SECONDS


if __name__ == "__main__":
    try:
        healthy = scheduler_beats() if "scheduler" in sys.argv[1:] else server_is_ready()
    except OSError as error:
        sys.exit(f"not healthy: {error}")
    sys.exit(0 if healthy else 1)
