"""What every benchmark is to `python -m tests.bench`."""

from __future__ import annotations

import argparse
from typing import Any, Protocol


class Benchmark(Protocol):
    """One thing that is measured; lives in a module or package of its own."""

    name: str
    about: str

    def add_arguments(self, group: Any) -> None:
        """Add the options of this benchmark, each with a default."""

    def run(self, options: argparse.Namespace) -> bool:
        """Measure, print the report, and tell whether what must hold on any machine did hold."""
