"""The moment before a tick, at which producers read what has come for them since the last one.

A token that is read as it comes costs the event loop a round of its own; what it brings is shown only at the next
tick all the same. So a producer rests once it has read, and all read together when the tick is due: then most of
them find their data there, and the loop is asked for nothing.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from webapp.lib import offload

GROUPS: Final = 8  # others get their turn between two of them


class Beat:
    """Lets producers rest until it is struck. Where threads take the place of greenlets nobody rests."""

    def __init__(self) -> None:
        self._groups = [threading.Event() for _ in range(GROUPS)]
        self._resting = [0] * GROUPS
        self._over = False

    @property
    def awaited(self) -> bool:
        """Whether anybody rests."""
        return any(self._resting)

    def rest(self, key: int) -> None:
        """Wait for the next stroke; the key decides on the group."""
        if self._over or not offload.under_gevent():
            return
        number = key % GROUPS
        self._resting[number] += 1
        self._groups[number].wait()

    def strike(self) -> None:
        """Let those who rest read; returns when they have, except those for whom nothing had come."""
        for number in range(GROUPS):
            if self._resting[number]:
                group, self._groups[number], self._resting[number] = (
                    self._groups[number],
                    threading.Event(),
                    0,
                )
                group.set()
                time.sleep(0)

    def end(self) -> None:
        """Let nobody rest any more."""
        self._over = True
        self.strike()
