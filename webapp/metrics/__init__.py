"""What the program counts about itself, for Prometheus. Off, and of no cost, unless METRICS_TOKEN is set."""

from webapp.metrics.readings import Reading, register_reading
from webapp.metrics.recorder import add_sampler, count, gauge, init_app, observe, render, start

__all__ = [
    "Reading",
    "add_sampler",
    "count",
    "gauge",
    "init_app",
    "observe",
    "register_reading",
    "render",
    "start",
]
