"""FT-04: a provider that accepts everything and answers nothing; and one that is not there."""

from __future__ import annotations

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.browsers import HttpBrowser
from tests.chat.provider import fake_provider
from tests.chat.test_faults import make_folder
from tests.processes import wait_for
from tests.servers import serving
from tests.services import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HANGING = 200
SILENT = "silent?head=600&key=silent"


def test_one_process_serves_others_while_two_hundred_calls_hang(
    tmp_path: Path, template_database: Path
) -> None:
    folder = make_folder(tmp_path / "instance", template_database)
    with fake_provider() as provider:
        variables = {
            "OPENAI_COMPATIBLE_BASE_URL": provider.settings["openai_compatible_base_url"],
            "LLM_OUTBOUND_ALLOW_HOSTS": ",".join(provider.settings["llm_outbound_allow_hosts"]),
            "OPENAI_COMPATIBLE_MODELS": f"{SILENT},quick?tokens=5",
            "MAX_STREAMS_PER_USER": str(HANGING + 1),
            "RATE_LIMITS": "false",
        }
        with serving(folder, WEB_CONCURRENCY="1", **variables) as server:
            visitor = HttpBrowser(server.url).sign_in("lin.yue")
            with ThreadPoolExecutor(8) as pool:
                sent = list(pool.map(lambda _: visitor.ask("x", SILENT)["answer"], range(HANGING)))
            provider.wait_for_calls("silent", HANGING)
            for _ in range(20):
                with urllib.request.urlopen(f"{server.url}/healthz/live", timeout=20) as response:
                    assert json.load(response)["code"] == "200"
            answer = visitor.ask("And you?", "quick?tokens=5")["answer"]
            assert [event.name for event in visitor.events(answer)][-1] == "done"
            assert visitor.answer_state(answer) == "complete"
            assert {visitor.answer_state(each) for each in sent[:5]} == {"streaming"}
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda each: visitor.post(f"/chat/answers/{each}/stop"), sent))
            wait_for(lambda: {visitor.answer_state(each) for each in sent} == {"stopped"})


def test_provider_that_is_not_there_is_told_in_words(tmp_path: Path, template_database: Path) -> None:
    folder = make_folder(tmp_path / "instance", template_database)
    nowhere = f"127.0.0.1:{free_port()}"
    variables = {
        "OPENAI_COMPATIBLE_BASE_URL": f"http://{nowhere}/v1",
        "LLM_OUTBOUND_ALLOW_HOSTS": nowhere,
        "OPENAI_COMPATIBLE_MODELS": "gone",
    }
    with serving(folder, WEB_CONCURRENCY="1", **variables) as server:
        visitor = HttpBrowser(server.url).sign_in("lin.yue")
        answer = visitor.ask("x", "gone")["answer"]
        assert [event.name for event in visitor.events(answer)][-1] == "done"
        assert visitor.answer_state(answer) == "failed"
        assert "cannot be reached" in visitor.get(f"/chat/answers/{answer}")
