"""What the upstream says: the same to everybody who asks for the same stream, and different for each stream."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

_BODY: Final = """\
## On waiting, part {mark}

A queue grows when work arrives faster than it is done. **Little's law** says that the mean number in the system \
is the arrival rate times the mean time in it, whatever the distribution: $L = \\lambda W$. In {mark} that was seen.

1. Measure the time between arrivals in {mark}.
2. Measure how long one piece of work takes, and *how much that varies*.
3. Compare both; at a load of 0.9 the wait is already ten times the work.

```python
def wait(arrivals: float, seconds: float) -> float:
    # {mark}: mean wait of a queue with one server and random work
    load = arrivals * seconds
    return seconds * load / (1 - load)
```

What follows from it is plain: leave some room, and let the queue be short rather than long. A long queue only \
hides that the work is too slow, and who waits in it has already gone when his turn comes ({mark}).

> Nobody minds a short queue, {mark}.

| Load | Wait | {mark} |
|---:|---:|:--|
| 0.5 | 1.0 | calm |
| 0.9 | 9.0 | long |

排队的长度等于到达率乘以停留时间。**注意：**负载接近一时，等待时间会很快变长，{mark} 也不例外。

"""
_TOKEN: Final = re.compile(
    r"\s*[\u4e00-\u9fff\uff00-\uffef\u3000-\u303f]{1,2}|\s*[^\s\u4e00-\u9fff]{1,6}|\s+"
)
_ASKED: Final = re.compile(r"Tell me about queues, stream (\d+), in (\d+) tokens\.")


def question(stream: int, tokens: int) -> str:
    """Return what the client asks in order to get that stream."""
    return f"Tell me about queues, stream {stream}, in {tokens} tokens."


def asked(text: str) -> tuple[int, int] | None:
    """Return stream and number of tokens that a question asks for; other requests, such as for a title, name none."""
    match = _ASKED.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


@cache
def tokens(stream: int, count: int) -> tuple[str, ...]:
    """Return the tokens of a stream."""
    found: list[str] = []
    part = 0
    while len(found) < count:
        found += _TOKEN.findall(_BODY.replace("{mark}", f"s{stream}-{part}"))
        part += 1
    return tuple(found[:count])


def text(stream: int, count: int) -> str:
    """Return the whole answer of a stream."""
    return "".join(tokens(stream, count))
