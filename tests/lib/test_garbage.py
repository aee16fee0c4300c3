"""Cyclic garbage goes though nobody counts objects."""

from __future__ import annotations

import subprocess
import sys

from tests.servers import ROOT

PROGRAM = """
import gc, time, weakref
from webapp.lib import garbage

class Cycle:
    pass

garbage.collect_by_clock()
assert not gc.isenabled()
for _ in range(3):
    cycle = Cycle()
    cycle.itself = cycle
    watched = weakref.ref(cycle)
    del cycle
    while watched() is not None:
        time.sleep(0.01)
"""


def test_cycles_are_collected_by_the_clock() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, check=True, timeout=30)
