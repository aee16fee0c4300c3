"""Producers rest until the next tick and read together; under greenlets, in a process of its own."""

from __future__ import annotations

import threading

import pytest

from tests.llm.test_gevent import run
from webapp.chat.live.beat import GROUPS, Beat

CREW = """
import threading, time
from webapp.chat.live.beat import GROUPS, Beat

beat, read = Beat(), []

def produce(key):
    for number in range(3):
        beat.rest(key)
        read.append((number, key))

crew = [threading.Thread(target=produce, args=(key,), daemon=True) for key in range(3 * GROUPS)]
for each in crew:
    each.start()
time.sleep(0.05)
"""


def test_all_that_rest_have_read_when_the_stroke_returns() -> None:
    script = """
assert read == [] and beat.awaited
beat.strike()
assert sorted(read) == [(0, key) for key in range(3 * GROUPS)], read
assert beat.awaited  # they rest again
beat.strike()
beat.strike()
assert len(read) == 9 * GROUPS and not beat.awaited
beat.strike()  # for nobody
"""
    run(CREW + script)


def test_the_end_lets_nobody_rest() -> None:
    script = """
beat.end()
for each in crew:
    each.join(30)
    assert not each.is_alive()
assert len(read) == 9 * GROUPS and not beat.awaited
"""
    run(CREW + script)


def test_with_threads_nobody_rests() -> None:
    beat = Beat()
    done = threading.Event()

    def produce() -> None:
        for key in range(2 * GROUPS):
            beat.rest(key)
        done.set()

    threading.Thread(target=produce, daemon=True).start()
    assert done.wait(30)
    assert not beat.awaited


# What a journal does with it: beats come while anybody rests, also with nothing to commit, and beside kicks.
JOURNAL = """
import threading, time
from pathlib import Path
from flask_migrate import upgrade
from tests.conftest import make_settings
from webapp.app import create_app
from webapp.chat.live.feed import Feed
from webapp.chat.live.journal import Journal, LiveAnswer
from webapp.extensions import db
import sys

app = create_app(make_settings(Path(sys.argv[1])))
with app.app_context():
    upgrade()
journal = Journal(app, "a-process", check_leases=lambda: None, on_end=lambda answer: None)
threading.Thread(target=journal.run, daemon=True).start()

def produce(answer, beats):
    for number in range(beats):
        journal.rest(answer)
        if number % 3 == 2:
            journal.add(answer, "x", "")

def answer(key):
    return LiveAnswer(key, key, key, 1, "m", Feed())
"""


@pytest.mark.slow
def test_beats_come_for_as_long_as_anybody_rests(tmp_path: object) -> None:
    script = """
answers = [answer(key) for key in range(1, 21)]
crew = [threading.Thread(target=produce, args=(each, 12), daemon=True) for each in answers]
for each in crew:
    each.start()
for number in range(40):  # kicks, between which beats must still come
    journal.add(answer(100 + number), "first", "")
    time.sleep(0.01)
for each in crew:
    each.join(60)
    assert not each.is_alive(), "a producer rests for good"
while not all(each.feed.text == "xxxx" for each in answers):
    time.sleep(0.01)
lonely = threading.Thread(target=produce, args=(answer(50), 2), daemon=True)  # after a pause without anybody
time.sleep(0.3)
lonely.start()
lonely.join(60)
assert not lonely.is_alive()
resting = threading.Thread(target=produce, args=(answer(51), 10_000), daemon=True)
resting.start()
time.sleep(0.1)
journal.close()  # those who rest are let go
resting.join(60)
assert not resting.is_alive()
"""
    run(JOURNAL + script, str(tmp_path))
