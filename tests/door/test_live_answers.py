"""Live answers over the API: they outlive the connection, and are taken up again on whichever process answers."""

from __future__ import annotations

import itertools
import json
import random
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.door.conftest import Door
from tests.door.events import Event, events, text_of
from tests.door.orders import ORDERS
from tests.door.test_failures import post
from tests.fakes.answers import text_of as written
from tests.processes import wait_for

STREAM = "/api/llm/generate/stream"


def test_taken_up_again_after_every_cut(door: Door) -> None:
    """By the same call with the last id, or at the address in the first event; both workers of the server get some."""
    body = {"message": "Hello", "model": ORDERS["resumed"]}
    found: list[Event] = []
    rng = random.Random(5)
    last: str | None = None
    where = STREAM
    while not found or found[-1].name != "done":
        again = rng.random() < 0.5
        stream = events(door, STREAM if again else where, body if again or last is None else None, last=last)
        for event in itertools.islice(stream, rng.randint(1, 6)):
            found.append(event)
            last = event.id
        stream.close()
        where = found[0].data["events_url"]
    assert found[0].name == "answer"
    assert text_of(found) == written("words", 60)
    assert {event.name for event in found} == {"answer", "delta", "done"}
    done = found[-1].data
    assert (done["state"], done["usage"]["completion_tokens"], done["model"]) == (
        "complete",
        60,
        body["model"],
    )
    assert len(door.upstream.calls("resumed")) == 1, "it was asked for once"
    assert [row[0] for row in door.entries(ORDERS["resumed"])] == ["complete"]
    whole = list(events(door, where))
    assert text_of(whole) == written("words", 60)
    assert [event.name for event in events(door, where, last=last)] == ["done"]


def test_a_place_that_is_not_there(door: Door) -> None:
    """The reader is told to forget what it has, and gets all."""
    first, *_ = events(door, STREAM, {"message": "x", "model": "scripted-echo"})
    where, answer = first.data["events_url"], first.data["id"]
    found = list(events(door, where, last=f"{answer}:999999"))
    assert [event.name for event in found] == ["reset", "delta", "done"]
    for other in ("nonsense", "999999999999", "A" * 22 + ":1", "-1"):
        assert text_of(list(events(door, where, last=other))) == "x"


def test_it_is_written_to_its_end_without_a_reader(door: Door) -> None:
    stream = events(door, STREAM, {"message": "Hello", "model": ORDERS["left alone"]})
    next(stream)
    stream.close()
    assert [row[:3] for row in wait_for(lambda: door.entries(ORDERS["left alone"]))] == [("complete", 7, 60)]


def test_stopped(door: Door) -> None:
    stream = events(door, STREAM, {"message": "Hello", "model": ORDERS["stopped"]})
    first, _delta = next(stream), next(stream)
    status, _headers, _text = post(door, b"", path=f"{first.data['events_url']}/stop")
    assert status == 200
    assert list(stream)[-1].data["state"] == "stopped"
    door.upstream.wait_until(lambda: door.upstream.ended("stopped") == {"left": 1})


def test_the_same_key_is_the_same_question(door: Door) -> None:
    def ask() -> str:
        headers = {"Authorization": f"Bearer {door.tokens['lin.yue']}", "Content-Type": "application/json"}
        body = json.dumps({"message": "once", "model": "scripted-echo"}).encode()
        request = urllib.request.Request(
            door.server.url + STREAM, body, headers | {"Idempotency-Key": "the-same"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return str(response.read().decode())

    first, second = ask(), ask()
    assert first == second


@pytest.mark.parametrize("name", ["wang.wei", "zhao.liu"])
def test_nobody_else_s_and_not_without_the_scope(door: Door, name: str) -> None:
    first, *_ = events(door, STREAM, {"message": "mine", "model": "scripted-echo"})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        next(events(door, first.data["events_url"], name=name))
    assert refusal.value.code == (404 if name == "wang.wei" else 403)
    with pytest.raises(urllib.error.HTTPError) as refusal:  # it is no chat's answer either
        next(events(door, f"/api/answers/{first.data['id']}/events"))
    assert refusal.value.code == 404


def test_a_revoked_token_reads_no_further(door: Door) -> None:
    stream = events(door, STREAM, {"message": "Hello", "model": ORDERS["revoked"]}, name="li.na")
    next(stream)
    door.write(
        "UPDATE api_tokens SET revoked_at = CURRENT_TIMESTAMP WHERE subject_id IN "
        "(SELECT id FROM users WHERE username = 'li.na')"
    )
    rest: list[Any] = list(stream)
    assert not rest or rest[-1].name != "done", "the stream ended before the answer did"
