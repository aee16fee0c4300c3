"""The client's process: `python -m tests.bench.streams.measure` reads a job from its input and prints the result."""

from __future__ import annotations

import json
import statistics
import sys
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests.bench.streams import probe, script
from tests.bench.streams.client import Browsers, Stream, fetch, job_from, request, sign_in
from tests.bench.streams.machine import CORES, resident_bytes
from tests.bench.streams.plan import OURS, Job, Load, Result
from tests.bench.streams.reading import Reading, read_door, read_product, read_yardstick
from tests.bench.streams.visitor import Visitor

FAULTS_SHOWN = 3
READERS = {"product": read_product, "door": read_door}
WARM_UP = Load(streams=3, seconds=0.1, opened_per_second=20, settle_seconds=0.1)


def measure(job: Job) -> Result:
    """Do the job."""
    people = sign_in(job.port, job.load.users) if job.kind == "product" else []
    Browsers(replace(job, load=WARM_UP), people).run()
    idle = sum(resident_bytes(pid) for pid in job.pids)
    browsers = Browsers(job, people)
    with Visitor(job) if job.visited and job.kind in OURS else nullcontext() as visitor:
        browsers.run()
    record = json.loads(fetch(job.upstream_port, request("GET /record"))[0])
    stored = _stored(job, browsers) if job.kind == "product" else {}
    window, load = browsers.window, job.load
    added: list[float] = []
    first: list[float] = []
    faults: list[str] = []
    sent_all = delivered_all = delivered = exact = 0
    for stream in browsers.streams:
        count = load.tokens_of(stream.number)
        text = script.text(stream.number, count)
        reading = READERS.get(job.kind, read_yardstick)(stream.pieces, text)
        fault = reading.fault or (
            "" if stored.get(stream.number, text) == text else "what was stored is another"
        )
        exact += not fault
        faults += [f"stream {stream.number}: {fault}"] if fault else []
        here = record.get(str(stream.number), {"arrived": 0.0, "sent": []})
        tokens = script.tokens(stream.number, count)
        latencies = _latencies(reading, here["sent"], tokens)
        sent_all += count
        delivered_all += len(latencies)
        delivered += sum(window.began <= when + late < window.ended for when, late in latencies)
        added += [late for when, late in latencies if window.began <= when < window.ended]
        if stream.number > load.streams:
            first += _first(stream, reading, here)
    stall, stall_cpu = probe.longest(Path(job.stalls), window.began, window.ended)
    span = window.ended - window.began
    return Result(
        streams=load.streams,
        delivered=delivered_all,
        sent=sent_all,
        answers=len(browsers.streams),
        exact=exact,
        added_p50=percentile(added, 50),
        added_p95=percentile(added, 95),
        added_p99=percentile(added, 99),
        first_p50=percentile(first, 50),
        first_p95=percentile(first, 95),
        cpu_microseconds=window.cpu / max(1, delivered) * 1e6,
        cpu_share=window.cpu / span,
        bytes_a_stream=(window.resident - idle) / load.streams,
        stall=stall,
        stall_cpu=stall_cpu,
        others_share=max(0.0, window.busy - window.cpu - window.own - window.upstream) / span / CORES,
        login_p95=percentile(visitor.logins, 95) if visitor else 0.0,
        health_p99=percentile(visitor.health, 99) if visitor else 0.0,
        faults=faults[:FAULTS_SHOWN],
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that so many percent do not pass."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else 0.0


def _latencies(reading: Reading, sent: list[float], tokens: Sequence[str]) -> list[tuple[float, float]]:
    """Return for each token that came when it was sent and how much later it was here."""
    ends = list(accumulate(len(token) for token in tokens))
    found: list[tuple[float, float]] = []
    for when, length in reading.arrivals:
        upto = min(bisect_right(ends, length), len(sent))
        found += [(at, when - at) for at in sent[len(found) : upto]]
    return found


def _first(stream: Stream, reading: Reading, record: dict[str, Any]) -> list[float]:
    """Return how long the browser waited for the first text beyond what the upstream took by itself."""
    came = next((when for when, length in reading.arrivals if length), None)
    if came is None or not record["sent"]:
        return []
    return [came - stream.asked_at - (record["sent"][0] - record["arrived"])]


def _stored(job: Job, browsers: Browsers) -> dict[int, str]:
    """Return the Markdown that the product has stored of each answer."""
    found = {}
    for stream in browsers.streams:
        source = request(f"GET /chat/answers/{stream.answer}/source", cookie=browsers.person(stream).cookie)
        found[stream.number] = fetch(job.port, source)[0].decode()
    return found


if __name__ == "__main__":
    print(json.dumps(asdict(measure(job_from(sys.stdin.read())))))
