"""Where gunicorn does not exist: streams leave threads for pages, and a refused page comes back by itself."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

from tests.browsers import HttpBrowser
from tests.chat.test_faults import make_folder
from tests.chat.watching import raw_stream
from tests.conftest import SECRET
from tests.processes import program
from tests.services import free_port
from webapp.chat import rules
from webapp.config import ROOT

WITHOUT_GUNICORN = (
    "import sys; sys.modules['gunicorn'] = None; from webapp import serve; sys.exit(serve.main())"
)


@pytest.mark.slow
def test_streams_leave_threads_for_pages(tmp_path: Path, template_database: Path) -> None:
    folder = make_folder(tmp_path / "instance", template_database)
    settings = {
        "INSTANCE_PATH": str(folder),
        "LOCAL_MODEL": "off",
        "SECRET_KEY": SECRET,
        "SCRIPTED_MODELS": "true",
    }
    command = (sys.executable, "-c", WITHOUT_GUNICORN)
    with (
        program(
            command,
            cwd=ROOT,
            log=tmp_path / "log",
            port=free_port(),
            RATE_LIMITS="false",
            ENV_FILE="",
            **settings,
        ) as running,
        contextlib.ExitStack() as open_streams,
    ):
        running.wait_until_it_answers("/healthz/ready")
        browser = HttpBrowser(running.url).sign_in("lin.yue")
        answer = browser.ask("Hang", "scripted-stall")["answer"]
        for _ in range(rules.READERS_WITH_THREADS):
            stream = open_streams.enter_context(raw_stream(running, browser, answer))  # type: ignore[arg-type]
            assert stream.recv(1_000).startswith(b"HTTP/1.1 200 OK")
        with raw_stream(running, browser, answer) as refused:  # type: ignore[arg-type]
            head = refused.recv(10_000)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in head
        assert browser.status("/login") in {200, 303}
        assert browser.status("/chat") == 200
        browser.post(f"/chat/answers/{answer}/stop")
