"""Every metric there is: kind, meaning, labels. Labels have few values, and never ids or texts that people wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "histogram", "gauge", "reading"]
# How the gauges of several processes become one: of those alive, the sum, the largest or the smallest.
Mode = Literal["livesum", "livemax", "livemin"]

PREFIX: Final = "agent_tools_"
FAST: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TICKS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)
PATIENT: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; a reading is a gauge that is looked up when it is asked for, the same from every process."""

    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    mode: Mode = "livesum"


METRICS: Final[dict[str, Metric]] = {
    "http_requests_total": Metric("counter", "Requests answered", ("method", "route", "status")),
    "http_request_seconds": Metric("histogram", "Time to the first byte of the answer", ("area",), FAST),
    "answers_active": Metric("gauge", "Answers being written"),
    "answer_readers_active": Metric("gauge", "Open streams of answers"),
    "answers_total": Metric("counter", "Answers that ended", ("ending",)),
    "answers_orphaned_total": Metric("counter", "Answers taken over from processes that were gone"),
    "answer_first_token_seconds": Metric("histogram", "From the question to the first word", (), PATIENT),
    "answer_seconds": Metric("histogram", "From the question to the end", (), PATIENT),
    "answer_streams_total": Metric("counter", "Streams opened: the first time, or again", ("opened",)),
    "journal_commit_seconds": Metric("histogram", "Commits of the text of live answers", (), TICKS),
    "journal_failures_total": Metric("counter", "Commits of text that failed and were repeated"),
    "tokens_total": Metric("counter", "Tokens of answers, into models and out of them", ("direction",)),
    "provider_calls_total": Metric(
        "counter", "Answers asked of providers, by how it went", ("provider", "result")
    ),
    "provider_retries_total": Metric("counter", "Further calls after one that failed"),
    "provider_circuit_opened_total": Metric("counter", "Times a failing provider was left alone for a while"),
    "audit_events_total": Metric(
        "counter", "Security events: sign-ins, codes, refusals, changes", ("event",)
    ),
    "log_records_total": Metric("counter", "Warnings and errors logged", ("level", "logger")),
    "database_connections_in_use": Metric("gauge", "Connections taken from the pool"),
    "database_errors_total": Metric("counter", "Errors of the database", ("error",)),
    "database_retries_total": Metric(
        "counter", "Write transactions run again after a deadlock or lock time-out"
    ),
    "mails_total": Metric("counter", "Tries to send a mail", ("result",)),
    "task_runs_total": Metric("counter", "Attempts at task runs that ended", ("state",)),
    "processes": Metric("gauge", "Processes that count here"),
    "process_cpu_seconds_total": Metric("counter", "Processor time of all processes"),
    "process_resident_memory_bytes": Metric("gauge", "Memory of all processes"),
    "process_largest_memory_bytes": Metric("gauge", "Memory of the largest process", mode="livemax"),
    "process_open_files": Metric("gauge", "Open files of the process that has the most", mode="livemax"),
    "process_open_files_limit": Metric("gauge", "Open files that are allowed to a process", mode="livemin"),
    "build_info": Metric("reading", "Always 1: which version this is", ("version", "revision")),
    "database_up": Metric("reading", "Whether the database answers"),
    "mails_waiting": Metric("reading", "Mails in the queue"),
    "mails_stuck": Metric("reading", "Mails in the queue for more than five minutes"),
    "mails_failed": Metric("reading", "Mails that failed in the last day"),
    "task_last_success_timestamp_seconds": Metric(
        "reading", "When a built-in task last succeeded", ("task",)
    ),
    "scheduler_heartbeat_timestamp_seconds": Metric("reading", "When scheduled work was last done"),
    "task_runs_waiting": Metric("reading", "Task runs that are due and not begun"),
    "backup_last_success_timestamp_seconds": Metric(
        "reading", "When the newest backup in the folder was made"
    ),
    "backup_last_size_bytes": Metric("reading", "Size of the newest backup in the folder"),
    "disk_free_bytes": Metric("reading", "Room on the disk of the instance folder"),
    "disk_size_bytes": Metric("reading", "Size of the disk of the instance folder"),
}


def full_name(name: str) -> str:
    """Return the name as Prometheus sees it."""
    return PREFIX + name
