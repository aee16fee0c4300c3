"""`python -m tests.bench tasks`: due slots and runs a second, and how late runs are, with many tasks."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.bench.streams.machine import load_average
from tests.bench.tasks.plan import SLOTS, Result
from tests.services import ROOT, mariadb_server

PRODUCT, YARDSTICK = "product", "yardstick"
LEVELS: Final = "1000,10000"
DATABASES: Final = "sqlite,mariadb"
LOADS: Final = "claims,burst,steady,apart"
APART_RUNS: Final = 200
LONGEST_SECONDS: Final = 900

Results = dict[tuple[str, int, str, str], Result]


class Tasks:
    """Scheduled work under load, and plain APScheduler under the same load in the same run."""

    name = "tasks"
    about = "Tasks come due, all at once or one after the other: in the product, and in plain APScheduler."

    def add_arguments(self, group: Any) -> None:
        """Add the options."""
        group.add_argument("--tasks", default=LEVELS, help=f"numbers of tasks (default {LEVELS})")
        group.add_argument("--databases", default=DATABASES, help=f"which ones (default {DATABASES})")
        group.add_argument(
            "--steady-seconds", type=float, default=20.0, help="how long tasks take turns (20)"
        )
        group.add_argument("--loads", default=LOADS, help=f"which ones (default {LOADS})")
        group.add_argument("--tasks-json", type=Path, help="also write the results into this file")

    def run(self, options: argparse.Namespace) -> bool:
        """Measure each level, print the table; tell whether every slot had its one run."""
        levels, names, seconds = options.tasks, options.databases, options.steady_seconds
        if options.quick:
            levels, names, seconds = "40", "sqlite", 2.0
        print(f"{self.name}: {SLOTS} runs at a time, load of the machine before {load_average():.2f}\n")
        print("| database | tasks | load | through | a second | late p50 | p99 | CPU a run |")
        print("|---|---:|---|---|---:|---:|---:|---:|")
        results: Results = {}
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for name in names.split(","):
                with _server(name, Path(folder)) as server:
                    for count in map(int, levels.split(",")):
                        for kind, through in _measured(options.loads.split(","), count, levels):
                            found = _measure(Path(folder), server, kind, through, count, seconds)
                            results[name, count, kind, through] = found
                            print(_row(name, count, through, found), flush=True)
        _compare(results)
        if options.tasks_json:
            told = [{"key": key, **asdict(found)} for key, found in results.items()]
            options.tasks_json.write_text(json.dumps(told, indent=1))
        return all(not found.faults and found.runs >= found.expected for found in results.values())


def _measured(loads: list[str], count: int, levels: str) -> Iterator[tuple[str, str]]:
    """Yield loads and what does the work; processes of their own take as long at each level, so only at the first."""
    for kind in loads:
        if kind in {"burst", "steady"}:
            yield kind, YARDSTICK
        if kind != "apart" or count == int(levels.split(",", maxsplit=1)[0]):
            yield kind, PRODUCT


@contextmanager
def _server(name: str, folder: Path) -> Iterator[Any]:
    home = folder / name
    home.mkdir()
    with mariadb_server(home) if name == "mariadb" else nullcontext() as server:
        yield server


def _measure(folder: Path, server: Any, kind: str, through: str, count: int, seconds: float) -> Result:
    """Measure in a process of its own, on a database of its own."""
    instance = Path(tempfile.mkdtemp(dir=folder))
    if server is None and through == PRODUCT:
        shutil.copytree(_template(folder), instance, dirs_exist_ok=True)
    url = server.url(server.create()) if server is not None else ""
    count = min(count, APART_RUNS) if kind == "apart" else count
    return _in_process(instance, url, kind, through, count, seconds)


def _template(folder: Path) -> Path:
    """Return a folder with a migrated SQLite database, made once."""
    template = folder / "template"
    if not template.exists():
        template.mkdir()
        made = _in_process(template, "", "claims", PRODUCT, 0, 0.0)
        assert not made.faults, made.faults
    return template


def _in_process(instance: Path, url: str, kind: str, through: str, count: int, seconds: float) -> Result:
    command = [sys.executable, "-m", f"tests.bench.tasks.{through}", kind, str(count), str(seconds)]
    if through == YARDSTICK:
        plain = url.replace("mysql://", "mysql+pymysql://") or f"sqlite:///{instance / 'jobs.db'}"
        command.append(plain)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(instance),
        "ENV_FILE": os.devnull,
        "INSTANCE_PATH": str(instance),
        "DATABASE_URL": url,
        "LOCAL_MODEL": "off",
        "LOG_TO_FILE": "false",
        "LOG_LEVEL": "ERROR",
        "TASK_MODULES": "tests.bench.tasks.functions",
        "TASK_SLOTS": str(SLOTS),
    }
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    if done.returncode:
        return Result(kind, 0, count, 0.0, faults=done.stderr[-2000:] or "it ended without a word")
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def _row(name: str, count: int, through: str, found: Result) -> str:
    if found.faults:
        return f"| {name} | {count} | {found.kind} | {through} | {found.faults} |"
    late = (
        f"{found.late_p50:.3f} s | {found.late_p99:.3f} s" if found.kind in {"burst", "steady"} else "– | –"
    )
    cells = f"| {name} | {count} | {found.kind} | {through} | {found.a_second:.0f} | {late} | {found.cpu_ms:.2f} ms |"
    memory = f"\nA process that executes runs has {found.memory_bytes / 2**20:.0f} MiB for itself.\n"
    return cells + (memory if found.memory_bytes else "")


def _compare(results: Results) -> None:
    print()
    for (name, count, kind, through), found in results.items():
        other = results.get((name, count, kind, YARDSTICK))
        if through == YARDSTICK or other is None or not other.cpu_ms or not found.cpu_ms:
            continue
        print(
            f"{name}, {count} tasks, {kind}: {found.a_second / other.a_second:.2f} of the yardstick's runs a second, "
            f"{found.cpu_ms / other.cpu_ms:.2f} of its CPU a run."
        )
