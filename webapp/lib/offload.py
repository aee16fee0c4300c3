"""Calls that block or compute for long, kept off the event loop.

Under plain threads a blocking call holds only its own thread and is made directly. Under gevent it would hold
every greenlet of the process, so it goes to the hub's pool of native threads while the caller waits.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from functools import cache
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_pool_threads: set[int] = set()


@cache
def under_gevent() -> bool:
    """Tell whether the standard library was patched to run on gevent; asked first when a worker is up."""
    try:
        from gevent import monkey
    except ImportError:
        return False
    return bool(monkey.is_module_patched("socket"))


def run(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call the function without holding the loop, and return or raise what it does.

    The function must not touch gevent-patched objects (sockets, locks) while it runs in the pool.
    """
    if not under_gevent() or _native_thread() in _pool_threads:
        return function(*args, **kwargs)
    import gevent

    hub: Any = gevent.get_hub()
    result: R = hub.threadpool.apply(_in_pool, (function, args, kwargs))
    return result


def _in_pool(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    ident = _native_thread()
    _pool_threads.add(ident)
    try:
        return function(*args, **kwargs)
    finally:
        _pool_threads.discard(ident)


@cache
def _original_get_ident() -> Callable[[], int]:
    from gevent import monkey

    original: Callable[[], int] = monkey.get_original("_thread", "get_ident")
    return original


def _native_thread() -> int:
    return _original_get_ident()() if under_gevent() else _thread.get_ident()
