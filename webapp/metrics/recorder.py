"""Counting: `count`, `observe` and `gauge` by name, from anywhere, at next to no cost.

Several processes count into files of a folder; whichever of them is asked adds up all. A process that has died leaves
its counters, so that no sum ever falls, and takes its gauges with it.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask import Flask

from webapp.config import Settings, share_numbers
from webapp.lib.counting_folder import folder_of, forget_gauges
from webapp.metrics import processes
from webapp.metrics.names import METRICS, full_name
from webapp.metrics.readings import Readings

SAMPLE_SECONDS: Final = 5.0
FOLDER_KEPT_SECONDS: Final = 7 * 86_400
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Recorder:
    """The metrics of one process; with a folder, of all processes that share it."""

    def __init__(self, folder: Path | None) -> None:
        from prometheus_client import CollectorRegistry

        self.folder = folder
        self._registry = CollectorRegistry()
        if folder is not None:
            _make(folder)
        _choose_values(shared=folder is not None)
        self._metrics = {name: self._new(name) for name, each in METRICS.items() if each.kind != "reading"}
        self._cpu_seconds = 0.0
        self.samplers: list[Callable[[], None]] = []

    def child(self, name: str, labels: dict[str, str]) -> Any:
        """Return the metric with these labels."""
        metric = self._metrics[name]
        return metric.labels(**labels) if labels else metric

    def sample(self) -> None:
        """Take down what this process takes of the machine, and what others have to say."""
        cpu = processes.cpu_seconds()
        self.child("process_cpu_seconds_total", {}).inc(max(0.0, cpu - self._cpu_seconds))
        self._cpu_seconds = cpu
        memory = processes.memory_bytes()
        for name, value in (
            ("processes", 1.0),
            ("process_resident_memory_bytes", memory),
            ("process_largest_memory_bytes", memory),
            ("process_open_files", processes.open_files()),
            ("process_open_files_limit", processes.open_files_limit()),
        ):
            self.child(name, {}).set(value)
        for sampler in tuple(self.samplers):
            sampler()

    def text(self, app: Flask) -> bytes:
        """Return everything as Prometheus reads it."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        self.sample()
        registry = CollectorRegistry()
        if self.folder is None:
            registry.register(_Forwarded(self._registry))
        else:
            forget_gauges(self.folder)
            MultiProcessCollector(registry, path=str(self.folder))  # type: ignore[no-untyped-call]
        registry.register(Readings(app))
        return bytes(generate_latest(registry))

    def _new(self, name: str) -> Any:
        from prometheus_client import Counter, Gauge, Histogram

        metric = METRICS[name]
        common: dict[str, Any] = {"labelnames": metric.labels, "registry": self._registry}
        if metric.kind == "counter":
            return Counter(full_name(name), metric.meaning, **common)
        if metric.kind == "histogram":
            return Histogram(full_name(name), metric.meaning, buckets=metric.buckets, **common)
        return Gauge(full_name(name), metric.meaning, multiprocess_mode=metric.mode, **common)


class _Forwarded:
    """Another registry as a collector; its counters' times of making are left out, as they are for several processes."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def collect(self) -> Any:
        """Yield all metrics."""
        for family in self._registry.collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


_recorder: Recorder | None = None


def init_app(app: Flask, settings: Settings) -> None:
    """Begin to count, if there is a token for those who may see it."""
    global _recorder  # noqa: PLW0603 - one process counts for one application
    if not settings.metrics_token.get_secret_value():
        _recorder = None
        return
    folder = None
    if settings.profile != "test" or settings.web_concurrency > 1:
        folder = folder_of(settings.instance_path)
        _forget_old_folders(folder)
    _recorder = app.extensions["metrics"] = Recorder(folder)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _LogCounter)]:
        root.removeHandler(old)
    root.addHandler(_LogCounter(logging.WARNING))


def start(app: Flask) -> None:
    """Sample this process every few seconds, as long as it lives."""
    recorder = app.extensions.get("metrics")
    if recorder is not None:
        threading.Thread(target=_sample_on, args=(recorder,), name="metrics", daemon=True).start()


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter."""
    if _recorder is not None:
        _recorder.child(name, labels).inc(amount)


def observe(name: str, value: float, **labels: str) -> None:
    """Add a value to a histogram."""
    if _recorder is not None:
        _recorder.child(name, labels).observe(max(0.0, value))


def gauge(name: str, value: float, **labels: str) -> None:
    """Set a gauge of this process."""
    if _recorder is not None:
        _recorder.child(name, labels).set(value)


def add_sampler(app: Flask, sampler: Callable[[], None]) -> None:
    """Have something called every few seconds that sets gauges of this process; it must not wait for anything."""
    recorder = app.extensions.get("metrics")
    if recorder is not None:
        recorder.samplers.append(sampler)


def render(app: Flask) -> bytes | None:
    """Return everything as Prometheus reads it, None where nothing is counted."""
    recorder: Recorder | None = app.extensions.get("metrics")
    return None if recorder is None else recorder.text(app)


class _LogCounter(logging.Handler):
    """Counts warnings and worse, by the module that logs them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        logger = record.name if record.name.startswith("webapp.") else record.name.partition(".")[0]
        with contextlib.suppress(Exception):
            count("log_records_total", level=record.levelname.lower(), logger=logger[:60])


def _sample_on(recorder: Recorder) -> None:
    while True:
        with contextlib.suppress(OSError, ValueError):
            recorder.sample()
        time.sleep(SAMPLE_SECONDS)


def _choose_values(*, shared: bool) -> None:
    """Let values be kept in the folder, or in memory; must come before any metric is made."""
    from prometheus_client import values

    untyped: Any = values
    untyped.ValueClass = untyped.MultiProcessValue() if shared else untyped.MutexValue


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    share_numbers(folder)


def _forget_old_folders(own: Path) -> None:
    """Remove what earlier boots and containers left."""
    with contextlib.suppress(OSError):
        for other in own.parent.iterdir():
            if other != own and time.time() - other.stat().st_mtime > FOLDER_KEPT_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
