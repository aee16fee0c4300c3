"""Many processes that do scheduled work beside each other: `python -m tests.tasks.ticking WITH WITHOUT SECONDS`.

WITH processes have SCHEDULER=embedded, WITHOUT have it off. Fails unless each of the former ticked and none of the
latter did.
"""

from __future__ import annotations

import os
import sys
import time
import traceback

from webapp import background
from webapp.app import create_app
from webapp.config import load_settings
from webapp.tasks.engine import engine


def main(with_scheduler: int, without: int, seconds: float) -> int:
    """Fork the processes, each with an application of its own, and return how many were wrong."""
    children = [_forked("embedded", seconds) for _number in range(with_scheduler)]
    children += [_forked("off", seconds) for _number in range(without)]
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


def _forked(scheduler: str, seconds: float) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _work(scheduler, seconds)
        finally:  # without what the parent has to do at its end
            if code:
                traceback.print_exc()
            os._exit(code)
    return child


def _work(scheduler: str, seconds: float) -> int:
    app = create_app(load_settings().model_copy(update={"scheduler": scheduler}))
    background.start(app)
    time.sleep(seconds)
    with app.app_context():
        while scheduler == "embedded" and engine().last_tick is None:
            time.sleep(0.1)  # on a machine with much else to do
        ticked = engine().last_tick is not None
    background.stop(app, 60)
    return 0 if ticked == (scheduler == "embedded") else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
