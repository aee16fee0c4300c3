"""Names of processes, and whether another one on this machine still lives."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from functools import cache
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE: Final = Path("/proc/self/ns/pid")


def new_name() -> str:
    """Return a name for this process that no other one ever has: machine, process id, random part."""
    return f"{machine_name()}/{os.getpid()}/{secrets.token_hex(4)}"


def is_surely_dead(name: str) -> bool:
    """Tell whether the process of that name ran on this machine and is gone."""
    machine, _, rest = name.partition("/")
    pid = rest.partition("/")[0]
    if machine != machine_name() or not pid.isdigit() or int(pid) == os.getpid():
        return False
    return not is_running(int(pid))


def is_running(pid: int) -> bool:
    """Tell whether there is a process of that id on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@cache
def machine_name() -> str:
    """Name the machine so that two containers, or two boots, are never taken for one."""
    parts = [socket.gethostname()[:20]]
    with contextlib.suppress(OSError):
        parts.append(_BOOT_ID.read_text()[:8])
    with contextlib.suppress(OSError):
        parts.append(str(_PID_NAMESPACE.readlink()).strip("pid:[]"))
    return "-".join(parts).replace("/", "_")
