"""FT-24 through the proxy: readers that never read hold up nobody, and those that read get every byte."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.bench.streams import reading, script, targets
from tests.bench.streams.client import fetch, request, sign_in
from tests.chat.test_slow_readers import TOKENS, TOKENS_PER_SECOND, Reader, ask
from tests.docker.deployment import nginx
from tests.docker.sites import accepts
from tests.processes import wait_for
from tests.services import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("proxy"),
    pytest.mark.skipif(sys.platform != "linux", reason="the fake upstream waits by epoll"),
]
IDLE = 45  # one person may have so many; the others come from their other devices


def test_who_does_not_read_holds_up_nobody(tls: Path, tmp_path: Path) -> None:
    folder, port = tmp_path / "instance", free_port()
    targets.make_instance(folder, 1)
    with (
        targets.upstream(TOKENS_PER_SECOND) as upstream,
        targets.product(folder, upstream.port, "openai_compatible") as server,
        nginx(
            tls,
            tmp_path / "log",
            PUBLIC_URL="https://127.0.0.1",
            UPSTREAMS=f"127.0.0.1:{server.port}",
            TLS="off",
            FRONT_PROXIES="127.0.0.1",
            HTTP_LISTEN=f"127.0.0.1:{port}",
        ),
    ):
        wait_for(lambda: accepts(port))
        person = sign_in(port, 1)[0]
        address = ask(port, person)
        idle = []
        for _ in range(IDLE):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(request(f"GET {address}", cookie=person.cookie, accept="text/event-stream"))
            idle.append(connection)
        readers = [
            Reader(port, address, person, size=65_536, pause=0, most=1 << 40),
            Reader(port, address, person, size=1_024, pause=0.05, most=1 << 40),
        ]
        for _ in range(20):
            page, _seconds = fetch(port, request("GET /chat", cookie=person.cookie))
            assert b"<h1" in page
        for reader in readers:
            reader.thread.join(120)
            assert reading.read_product(reader.pieces, script.text(1, TOKENS)).fault == ""
        for connection in idle:
            connection.close()
