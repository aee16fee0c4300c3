"""What is to be measured, in the form in which it travels to the client's process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["product", "door", "yardstick", "fast yardstick"]
OURS: Final = ("product", "door")  # the path of the page, and that of programs: /v1/chat/completions

TOKENS_PER_SECOND: Final = 20.0
FIRST_TOKEN_SECONDS: Final = 0.2  # what the upstream takes to think; real ones take 0.3 to 1
STREAMS_PER_USER: Final = 25
NEWCOMERS_PER_SECOND: Final = (
    2.0  # questions asked while all other streams run: their first text is what is timed
)
NEWCOMER_TOKENS: Final = 20
TAIL_SECONDS: Final = 0.5  # between the end of the measured time and that of the first answer


@dataclass(frozen=True, slots=True)
class Load:
    """So many streams, opened one after the other; once they have settled, they are measured for so long."""

    streams: int
    seconds: float
    opened_per_second: float
    settle_seconds: float = 2.0

    @property
    def ramp_seconds(self) -> float:
        """How long it takes to open them all."""
        return self.streams / self.opened_per_second

    @property
    def tokens(self) -> int:
        """How long each answer must be so that all of them run through the measured time."""
        whole = FIRST_TOKEN_SECONDS + self.ramp_seconds + self.settle_seconds + self.seconds + TAIL_SECONDS
        return round(whole * TOKENS_PER_SECOND)

    @property
    def newcomers(self) -> int:
        """How many short answers are asked for while the others run."""
        return round((self.seconds - FIRST_TOKEN_SECONDS) * NEWCOMERS_PER_SECOND)

    def tokens_of(self, number: int) -> int:
        """Return how long the answer of a stream is; the newcomers have the numbers after all others."""
        return self.tokens if number <= self.streams else NEWCOMER_TOKENS

    @property
    def users(self) -> int:
        """How many people share the streams."""
        return -(-self.streams // STREAMS_PER_USER)


@dataclass(frozen=True, slots=True)
class Job:
    """What the client's process is told."""

    kind: Kind
    load: Load
    port: int
    pids: tuple[int, ...]
    upstream_port: int
    upstream_pid: int
    stalls: str
    model: str = ""
    visited: bool = False
    tokens: tuple[str, ...] = ()


@dataclass(slots=True)
class Result:
    """What it answers; latencies in seconds."""

    streams: int
    delivered: int
    sent: int
    answers: int
    exact: int
    added_p50: float
    added_p95: float
    added_p99: float
    first_p50: float
    first_p95: float
    cpu_microseconds: float
    cpu_share: float
    bytes_a_stream: float
    stall: float
    stall_cpu: float
    others_share: float
    login_p95: float
    health_p99: float
    faults: list[str]
