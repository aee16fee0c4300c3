"""The browsers of the benchmark, in a process of their own: they sign in and ask for one page again and again.

Reads a job as JSON from standard input, writes what it measured to standard output.
"""

from __future__ import annotations

import http.client
import json
import re
import statistics
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from tests.bench.streams.machine import cpu_seconds


@dataclass(frozen=True, slots=True)
class Job:
    """What to measure: pages of one server, each for so many seconds through so many connections."""

    port: int
    pids: list[int]  # of the server's workers
    login: str
    fields: dict[str, str]
    pages: dict[str, str]
    seconds: float
    connections: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one page took."""

    per_second: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float  # of the worker, a page; what a database server takes is not in it
    names: list[str]  # who is on it, to compare
    faults: list[str]


class Browser:
    """A connection that keeps its cookies."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, str]:
        """Return status and text."""
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept": "text/html",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, urlencode(body) if body is not None else None, headers)
        response = self.connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, response.read().decode()

    def sign_in(self, login: str, fields: dict[str, str]) -> None:
        """Sign in through the form."""
        _status, page = self.ask("GET", login)
        token = re.search(r'name="(csrf_token|csrfmiddlewaretoken)"[^>]*value="([^"]+)"', page)
        assert token, page[:500]
        status, page = self.ask("POST", login, {**fields, token[1]: token[2]})
        assert status in {302, 303}, page[:2000]


def measure(job: Job, path: str) -> Measured:
    """Ask for one page until the time is over."""
    browsers = [Browser(job.port) for _each in range(job.connections)]
    browsers[0].sign_in(job.login, job.fields)
    for browser in browsers[1:]:
        browser.cookies = browsers[0].cookies
    status, page = browsers[0].ask("GET", path)
    faults = [] if status == 200 else [f"{path}: {status}"]
    for _turn in range(3):  # caches and compiled templates are warm on both sides
        browsers[0].ask("GET", path)
    times: list[float] = []
    begun, cpu = time.perf_counter(), _cpu_seconds(job)
    threads = [
        threading.Thread(target=_ask_until, args=(each, path, begun + job.seconds, times, faults))
        for each in browsers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    times.sort()
    return Measured(
        per_second=len(times) / took,
        p50_ms=statistics.median(times) * 1000,
        p95_ms=times[int(len(times) * 0.95)] * 1000,
        cpu_ms=(_cpu_seconds(job) - cpu) / len(times) * 1000,
        names=sorted(set(re.findall(r"([a-z]+\.\d{6})@example\.com", page))),
        faults=faults,
    )


def _cpu_seconds(job: Job) -> float:
    return sum(cpu_seconds(pid) for pid in job.pids)


def _ask_until(browser: Browser, path: str, end: float, times: list[float], faults: list[str]) -> None:
    while True:
        begun = time.perf_counter()
        status, _page = browser.ask("GET", path)
        times.append(time.perf_counter() - begun)
        if status != 200:
            faults.append(f"{path}: {status}")
        if time.perf_counter() >= end:
            return


def main() -> None:
    """Measure each page of the job."""
    job = Job(**json.load(sys.stdin))
    measured: dict[str, Any] = {name: asdict(measure(job, path)) for name, path in job.pages.items()}
    json.dump(measured, sys.stdout)


if __name__ == "__main__":
    main()
