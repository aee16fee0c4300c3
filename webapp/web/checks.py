"""The system check of what is around the program: disk, secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Final

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.config import deployment_settings
from webapp.database.revisions import head_revision
from webapp.features import VERSION
from webapp.lib import checks
from webapp.lib.checks import Finding
from webapp.metrics import Reading, register_reading
from webapp.metrics.processes import open_files_limit

NEARLY_FULL: Final = 0.9
FEWEST_FILES: Final = 1024  # for some hundred streams, and what the program itself needs
LEAST_BYTES: Final = 500_000_000
OWN_SECRETS: Final = ("secret_key", "encryption_keys")  # files that are made in the instance folder


def init_app(app: Flask) -> None:
    """Register the checks."""
    checks.register(app, "disk", _l("Disk"), disk)
    checks.register(app, "uploads", _l("Uploads"), _uploads)
    checks.register(app, "secrets", _l("Secrets"), _secrets)
    checks.register(app, "files", _l("Open files"), _open_files)
    register_reading(app, _readings)


def _readings() -> Iterator[Reading]:
    usage = shutil.disk_usage(deployment_settings().instance_path)
    yield Reading("disk_free_bytes", usage.free)
    yield Reading("disk_size_bytes", usage.total)
    yield Reading("build_info", 1, {"version": VERSION, "revision": head_revision() or ""})


def disk() -> Finding:
    """Tell how full the disk is on which everything is kept."""
    usage = shutil.disk_usage(deployment_settings().instance_path)
    share, free = usage.used / usage.total, usage.free / 1e9
    value = _("%(percent)s%% used, %(free)s GB free", percent=round(share * 100), free=f"{free:.0f}")
    if usage.free < LEAST_BYTES:
        return Finding("bad", value, _("Make room now: soon nothing can be saved."))
    if share > NEARLY_FULL:
        return Finding("warn", value, _("Make room, or move the instance folder to a larger disk."))
    return Finding("ok", value)


def _open_files() -> Finding:
    most = open_files_limit()
    if not most:
        return Finding("idle", _("not known here"))
    if most < FEWEST_FILES:
        fix = _("Raise the limit (ulimit -n, LimitNOFILE): each open stream is a file.")
        return Finding("warn", _("%(count)s allowed", count=int(most)), fix)
    return Finding("ok", _("%(count)s allowed", count=int(most)))


def _uploads() -> Finding:
    folder = deployment_settings().instance_path
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("ok", _("can be written"))
    return Finding(
        "bad", _("cannot be written"), _("Let the program's user write into %(folder)s.", folder=folder)
    )


def _secrets() -> Finding:
    settings = deployment_settings()
    for name in OWN_SECRETS:
        path = settings.instance_path / name
        if path.exists() and path.stat().st_mode & 0o077:
            fix = _("Take the rights of others away: chmod 600 %(path)s", path=path)
            return Finding("warn", _("readable by others"), fix)
    return Finding("ok", _("set"))
