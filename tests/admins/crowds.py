"""Several people doing something at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask

from webapp.errors import AppError
from webapp.extensions import db


def at_once(app: Flask, *acts: Callable[[], object]) -> list[object]:
    """Run each in a thread with a database session of its own, all let go together; a refusal counts as its result."""
    gate = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        with app.test_request_context():
            gate.wait(10)
            try:
                results[place] = act()
            except AppError as error:
                results[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
