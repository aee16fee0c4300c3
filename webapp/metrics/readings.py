"""Readings: values that are looked up when somebody asks, because they are the same in every process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.metrics.names import METRICS, full_name

log = logging.getLogger(__name__)

_EXTENSION: Final = "metric_readings"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value now."""

    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


def register_reading(app: Flask, read: Callable[[], Iterable[Reading]]) -> None:
    """Add something that is looked up; it runs in an application context and may find the database away."""
    app.extensions.setdefault(_EXTENSION, []).append(read)


class Readings:
    """Collects all readings of an application."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[Any]:
        """Yield what can be read; what cannot is left out, and the database is then told to be away."""
        from prometheus_client.core import GaugeMetricFamily

        found, up = self._read()
        families: dict[str, Any] = {}
        for each in [*found, Reading("database_up", float(up))]:
            metric = METRICS[each.name]
            if each.name not in families:
                families[each.name] = GaugeMetricFamily(
                    full_name(each.name), metric.meaning, labels=metric.labels
                )
            families[each.name].add_metric([each.labels[label] for label in metric.labels], each.value)
        yield from families.values()

    def _read(self) -> tuple[list[Reading], bool]:
        found: list[Reading] = []
        up = True
        for read in self._app.extensions.get(_EXTENSION, []):
            try:
                found += list(read())
            except SQLAlchemyError:
                up = False
            except OSError as error:
                log.warning("not read for metrics", extra={"error": type(error).__name__})
        return found, up
