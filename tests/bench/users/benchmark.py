"""`python -m tests.bench users`: pages of the list of users at its beginning and end, filtered, searched."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from tests.bench.streams.machine import load_average
from tests.bench.users import crowd
from tests.bench.users.load import Job, Measured
from tests.people import PASSWORD
from tests.servers import ROOT, serving
from tests.services import free_port, mariadb_server, running

PAGES: Final = ("first", "last", "filter", "search")
CONNECTIONS: Final = 4
DJANGO_NAME, DJANGO_PASSWORD = "bench", "correct horse battery"  # as in django_site
Results = dict[str, dict[str, Measured]]


class Users:
    """The list of users through HTTP, signed in, beside Django's admin over the same rows in the same run."""

    name = "users"
    about = "Administrators look at the list of users: ours, and Django's admin over the same table."

    def add_arguments(self, group: Any) -> None:
        """Add the options."""
        group.add_argument("--users", type=int, default=100_000, help="how many users there are (100,000)")
        group.add_argument(
            "--list-databases", default="sqlite,mariadb", help="which databases (sqlite,mariadb)"
        )
        group.add_argument(
            "--page-seconds", type=float, default=6.0, help="how long to ask for each page (6)"
        )
        group.add_argument("--users-json", type=Path, help="also write the results into this file")

    def run(self, options: argparse.Namespace) -> bool:
        """Measure on each database, print the tables; tell whether both showed the same users everywhere."""
        users, seconds = (2_000, 0.3) if options.quick else (options.users, options.page_seconds)
        print(f"{self.name}: {users:,} users, load of the machine before {load_average():.2f}\n")
        everything: dict[str, Results] = {}
        for database in options.list_databases.split(","):
            try:
                everything[database] = _on(database, users, seconds)
            except pytest.skip.Exception as reason:
                print(f"{database} is left out: {reason}\n")
                continue
            _report(database, everything[database])
        if options.users_json:
            plain = {
                database: {
                    side: {page: asdict(each) for page, each in pages.items()}
                    for side, pages in found.items()
                }
                for database, found in everything.items()
            }
            options.users_json.write_text(json.dumps(plain, indent=1))
        return all(_agree(found) for found in everything.values())


def _on(database: str, users: int, seconds: float) -> Results:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        url = ""
        if database == "mariadb":
            server = stack.enter_context(mariadb_server(_made(folder / "mariadb"), "256M"))
            url = server.url(server.create())
        instance = folder / "instance"
        cursor = crowd.fill(instance, users, url)
        database_url = url or f"sqlite:///{instance / 'agent-tools.db'}"
        results: Results = {}
        with _ours(instance, url) as job:
            results["ours"] = _measure(job, _our_pages(cursor), seconds)
        with _django(instance, database_url) as job:
            results["django"] = _measure(job, _django_pages(users), seconds)
        return results


def _our_pages(cursor: str) -> dict[str, str]:
    path = "/admin/users/"
    return {
        "first": path,
        "last": f"{path}?after={cursor}",
        "filter": f"{path}?state=suspended",
        "search": f"{path}?q={crowd.SOUGHT}",
    }


def _django_pages(users: int) -> dict[str, str]:
    path = "/admin/admin/person/"
    return {
        "first": path,
        "last": f"{path}?p={-(-users // 50)}",
        "filter": f"{path}?state__exact=suspended",
        "search": f"{path}?q={crowd.SOUGHT}",
    }


@contextlib.contextmanager
def _ours(instance: Path, url: str) -> Iterator[dict[str, Any]]:
    """Serve the product as `make run` does, with one worker."""
    with serving(instance, **({"DATABASE_URL": url} if url else {})) as server:
        yield {
            "port": int(server.url.rpartition(":")[2]),
            "pids": server.workers(),
            "login": "/admin/login",
            "fields": {"login": crowd.ADMIN, "password": PASSWORD},
        }


@contextlib.contextmanager
def _django(folder: Path, database_url: str) -> Iterator[dict[str, Any]]:
    """Serve Django's admin with gunicorn, gevent and one worker, as ours is."""
    import psutil

    environment = {**os.environ, "BENCH_DATABASE": database_url, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-m", "tests.bench.users.django_site"], cwd=ROOT, env=environment, check=True
    )
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "tests.bench.users.django_site:application", "--workers=1"]
    command += ["--worker-class=gevent", "--keep-alive=10", f"--bind=127.0.0.1:{port}", "--log-level=warning"]
    command += ["--env", f"BENCH_DATABASE={database_url}"]

    def answers() -> None:
        import urllib.request

        urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=2).close()

    with running(command, folder / "django.log", answers) as process:
        yield {
            "port": port,
            "pids": [child.pid for child in psutil.Process(process.pid).children(recursive=True)],
            "login": "/admin/login/",
            "fields": {"username": DJANGO_NAME, "password": DJANGO_PASSWORD, "next": "/admin/"},
        }


def _measure(served: dict[str, Any], pages: dict[str, str], seconds: float) -> dict[str, Measured]:
    job = Job(**served, pages=pages, seconds=seconds, connections=CONNECTIONS)
    command = [sys.executable, "-m", "tests.bench.users.load"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(asdict(job)), text=True, stdout=subprocess.PIPE, check=True
    )
    return {name: Measured(**each) for name, each in json.loads(done.stdout).items()}


def _report(database: str, found: Results) -> None:
    print(
        f"| {database} | ours, pages/s | p50 | p95 | CPU a page | Django, pages/s | p50 | p95 | CPU a page | times |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for page in PAGES:
        ours, theirs = found["ours"][page], found["django"][page]
        cells = [
            f"{each.per_second:.0f} | {each.p50_ms:.1f} ms | {each.p95_ms:.1f} ms | {each.cpu_ms:.1f} ms"
            for each in (ours, theirs)
        ]
        print(f"| {page} | {cells[0]} | {cells[1]} | {ours.per_second / theirs.per_second:.1f} |")
    for side, pages in found.items():
        share = pages["first"].per_second / pages["last"].per_second
        print(f"\n{side}: the last page takes {share:.2f} times as long as the first.", end="")
    print("\n", flush=True)


def _agree(found: Results) -> bool:
    """Tell whether every page was there, and showed the same users on both sides."""
    for page in PAGES:
        ours, theirs = found["ours"][page], found["django"][page]
        if ours.faults or theirs.faults or not ours.names or ours.names != theirs.names:
            print(f"{page}: {ours.faults} {theirs.faults} {len(ours.names)} and {len(theirs.names)} users")
            return False
    return True


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
