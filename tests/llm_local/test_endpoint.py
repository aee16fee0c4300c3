"""The file that says where the embedded model listens is believed only while its writer lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import make_settings
from webapp.config import Settings
from webapp.llm.local import endpoint
from webapp.llm.local.endpoint import LocalEndpoint
from webapp.llm.local.status import SENTENCES, status

WHERE = LocalEndpoint("http://127.0.0.1:4000/v1", "key", "tiny", 4, 2048, 1024, demonstration=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path, local_model="auto")


def rewrite(instance: Path, **changes: object) -> None:
    path = instance / endpoint.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_published_is_read(settings: Settings) -> None:
    assert endpoint.endpoint(settings) is None
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    assert endpoint.endpoint(settings) == WHERE
    assert (settings.instance_path / endpoint.FILE).stat().st_mode & 0o777 == 0o600
    assert status(settings).usable


def test_a_change_is_noticed(settings: Settings) -> None:
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    assert endpoint.endpoint(settings) == WHERE
    endpoint.publish(settings.instance_path, "starting")
    assert endpoint.endpoint(settings) is None
    assert status(settings).state == "starting"
    endpoint.withdraw(settings.instance_path)
    assert endpoint.read(settings.instance_path) is None


def test_a_dead_writer_is_not_believed(settings: Settings) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    rewrite(settings.instance_path, pid=gone.pid)
    assert endpoint.endpoint(settings) is None


def test_a_writer_from_before_a_restart_of_the_machine_is_not_believed(settings: Settings) -> None:
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    rewrite(settings.instance_path, boot="another")
    assert endpoint.endpoint(settings) is None


def test_another_supervisor_s_file_is_left_alone(settings: Settings) -> None:
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    rewrite(settings.instance_path, pid=os.getppid())
    endpoint.withdraw(settings.instance_path)
    assert endpoint.endpoint(settings) == WHERE


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"state": "ready"}', '{"endpoint": {"a": 1}}'])
def test_a_broken_file_says_nothing(settings: Settings, text: str) -> None:
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    (settings.instance_path / endpoint.FILE).write_text(text)
    assert endpoint.endpoint(settings) is None


def test_turned_off_means_off(settings: Settings) -> None:
    endpoint.publish(settings.instance_path, "ready", where=WHERE)
    off = settings.model_copy(update={"local_model": "off"})
    assert endpoint.endpoint(off) is None
    assert status(off).state == "off"


def test_nothing_there_is_told_apart(settings: Settings) -> None:
    assert status(settings).state == "no_weights"
    own = settings.model_copy(update={"local_model": __file__})
    assert status(own).state == "stopped"


@pytest.mark.parametrize("state", ["no_libgomp", "no_engine", "no_weights", "bad_weights", "failed"])
def test_each_obstacle_says_what_to_do(settings: Settings, state: endpoint.State) -> None:
    endpoint.publish(settings.instance_path, state)
    assert not status(settings).usable
    words = {"no_libgomp": "apt-get install libgomp1", "failed": "log"}.get(state, "make model")
    assert words in str(status(settings).sentence)


def test_every_state_has_a_sentence_of_its_own() -> None:
    assert len({str(sentence) for sentence in SENTENCES.values()}) == len(SENTENCES)
