"""Run the benchmarks that are named, by default all of them; `--quick` makes each one short."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

from tests.bench.benchmark import Benchmark
from tests.bench.streams.benchmark import Streams
from tests.bench.tasks.benchmark import Tasks
from tests.bench.users.benchmark import Users

BENCHMARKS: tuple[Benchmark, ...] = (Streams(), Tasks(), Users())


def main(arguments: list[str]) -> int:
    """Print the report of each benchmark; the exit code tells whether all of them kept their promises."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(each.name for each in BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="a short run that shows only that all works")
    for benchmark in BENCHMARKS:
        benchmark.add_arguments(parser.add_argument_group(benchmark.name, benchmark.about))
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.names) - {each.name for each in BENCHMARKS}
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    print(
        f"{os.cpu_count()} cores, {_processor()}, Python {platform.python_version()}, {platform.system()}\n"
    )
    good = [each.run(chosen) for each in BENCHMARKS if not chosen.names or each.name in chosen.names]
    return 0 if all(good) else 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.machine()
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
