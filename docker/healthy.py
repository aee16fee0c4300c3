# noqa: INP001 - a program, not a module
"""Whether the container works, for Docker: `healthy.py` asks the server in here, `healthy.py scheduler` looks at its beat."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

BEAT_SECONDS = 60


def server_is_ready() -> bool:
    """Ask under the name that people use, since no other is answered."""
    port = os.environ.get("PORT", "8000")
    name = urlsplit(os.environ.get("PUBLIC_URL", "")).netloc or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=4)
    connection.request("GET", "/healthz/ready", headers={"Host": name})
    return connection.getresponse().status == http.HTTPStatus.OK


def scheduler_beats() -> bool:
    """Tell whether the clock of this container has ticked lately."""
    beat = Path(os.environ["INSTANCE_PATH"], "run", f"scheduler-{socket.gethostname()}.beat")
    return time.time() - beat.stat().st_mtime < BEAT_SECONDS


if __name__ == "__main__":
    try:
        healthy = scheduler_beats() if "scheduler" in sys.argv[1:] else server_is_ready()
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"not healthy: {error}")
    sys.exit(0 if healthy else 1)
