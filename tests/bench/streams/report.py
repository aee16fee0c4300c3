"""The table that is printed, in a form that can be pasted into a page."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.streams.plan import OURS, Result

_COLUMNS = (
    "streams", "through", "delivered", "exact", "added p50", "p95", "p99", "first text p50", "p95",
    "CPU a token", "core", "memory a stream", "longest stall (CPU in it)", "others' CPU", "sign-in p95", "health p99",
)  # fmt: skip


def head() -> str:
    """Return the head of the table."""
    return f"| {' | '.join(_COLUMNS)} |\n|{'---:|' * len(_COLUMNS)}"


def row(kind: str, result: Result) -> str:
    """Return the line of one measurement."""
    cells = (
        str(result.streams),
        kind,
        f"{result.delivered / result.sent:.2%}",
        f"{result.exact} of {result.answers}",
        *(_milliseconds(each) for each in (result.added_p50, result.added_p95, result.added_p99)),
        *(_milliseconds(each) for each in (result.first_p50, result.first_p95)),
        f"{result.cpu_microseconds:.1f} µs",
        f"{result.cpu_share:.0%}",
        f"{result.bytes_a_stream / 1024:.0f} KiB",
        f"{_milliseconds(result.stall)} ({_milliseconds(result.stall_cpu)})",
        f"{result.others_share:.0%}",
        _milliseconds(result.login_p95) if result.login_p95 else "–",
        _milliseconds(result.health_p99) if result.health_p99 else "–",
    )
    return f"| {' | '.join(cells)} |"


def foot(results: Mapping[tuple[int, str], Result]) -> str:
    """Return what the product costs in yardsticks, and what went wrong."""
    lines = [""]
    for (streams, kind), result in results.items():
        for own in OURS:
            ours = results.get((streams, own))
            if kind not in OURS and ours is not None and result.cpu_microseconds:
                ratio = ours.cpu_microseconds / result.cpu_microseconds
                lines.append(
                    f"At {streams} streams a token costs the {own} {ratio:.2f} of what it costs the {kind}."
                )
        lines += [f"{kind}, {streams} streams: {fault}" for fault in result.faults]
    return "\n".join(lines)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
