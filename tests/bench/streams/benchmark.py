"""`python -m tests.bench streams`: the cost and the delay of a token at several numbers of open streams."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from tests.bench.streams import report, targets
from tests.bench.streams.machine import load_average
from tests.bench.streams.plan import OURS, Job, Kind, Load, Result
from tests.servers import ROOT
from tests.services import mariadb_server

LEVELS: Final = "50,200,500"
YARDSTICKS: Final = ("yardstick", "fast yardstick")
PATHS: Final = {"page": ("product",), "v1": ("door",), "both": ("product", "door")}
OPENED_PER_SECOND: Final = 25.0
Serving = Callable[[Path, int, str], AbstractContextManager[targets.Target]]


class Streams:
    """The whole product path under load, and a yardstick under the same load in the same run."""

    name = "streams"
    about = (
        "Signed-in browsers read answers of a paced upstream: through the product, and through a yardstick."
    )

    def add_arguments(self, group: Any) -> None:
        """Add the options."""
        group.add_argument("--streams", default=LEVELS, help=f"numbers of open streams (default {LEVELS})")
        group.add_argument("--seconds", type=float, default=20.0, help="how long to measure each (20)")
        group.add_argument(
            "--opened", type=float, default=OPENED_PER_SECOND, help="streams opened a second (25)"
        )
        group.add_argument("--provider", choices=["openai_compatible", "zhipu"], default="openai_compatible")
        group.add_argument("--path", choices=PATHS, default="page", help="that of browsers, or of programs")
        group.add_argument("--through", help="what to measure (default: both yardsticks, then the path)")
        group.add_argument(
            "--visitor", action="store_true", help="somebody signs in meanwhile; its cost is counted in"
        )
        group.add_argument("--workers", type=int, default=1, help="processes of the product (1)")
        group.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite", help="its database")
        group.add_argument("--json", type=Path, help="also write the results into this file")

    def run(self, options: argparse.Namespace) -> bool:
        """Measure each level, print the table; tell whether the product delivered all of it right."""
        loads = [Load(int(each), options.seconds, options.opened) for each in options.streams.split(",")]
        if options.quick:
            loads = [Load(10, 1.0, OPENED_PER_SECOND, settle_seconds=0.3)]
        chosen = options.through.split(",") if options.through else [*YARDSTICKS, *PATHS[options.path]]
        kinds = cast("list[Kind]", chosen)
        print(f"{self.name}: provider {options.provider}, load of the machine before {load_average():.2f}\n")
        results: dict[tuple[int, str], Result] = {}
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            server = None
            if options.database == "mariadb":
                (folder / "mariadb").mkdir()
                server = stack.enter_context(mariadb_server(folder / "mariadb", "256M"))
            print(report.head())
            for number, (load, kind) in enumerate((load, kind) for load in loads for kind in kinds):
                url = server.url(server.create()) if server else ""
                instance = folder / str(number)
                targets.make_instance(instance, load.users, url)
                serving = partial(targets.product, workers=options.workers, database_url=url)
                result = _measure(serving, instance, load, kind, options)
                results[load.streams, kind] = result
                print(report.row(kind, result), flush=True)
        print(report.foot(results))
        if options.json:
            lines = [{"kind": kind, **asdict(result)} for (_streams, kind), result in results.items()]
            options.json.write_text(json.dumps(lines, indent=1))
        return all(_is_whole(result) for (_streams, kind), result in results.items() if kind in OURS)


def _measure(serving: Serving, instance: Path, load: Load, kind: Kind, options: argparse.Namespace) -> Result:
    with targets.upstream() as upstream:
        starting: AbstractContextManager[targets.Target] = (
            serving(instance, upstream.port, options.provider)
            if kind in OURS
            else targets.yardstick(instance, upstream.port, fast=kind == "fast yardstick")
        )
        with starting as target:
            job = Job(
                kind=kind,
                load=load,
                port=target.port,
                pids=target.pids,
                upstream_port=upstream.port,
                upstream_pid=upstream.pids[0],
                stalls=str(target.stalls),
                model=targets.MODEL,
                visited=options.visitor,
                tokens=targets.tokens_of(instance),
            )
            return _run_client(job)


def _run_client(job: Job) -> Result:
    command = [sys.executable, "-m", "tests.bench.streams.measure"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(asdict(job)), text=True, stdout=subprocess.PIPE, check=True
    )
    return Result(**json.loads(done.stdout))


def _is_whole(result: Result) -> bool:
    return result.delivered == result.sent and result.exact == result.answers
