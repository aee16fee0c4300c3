"""The proxy under strain: slow senders, silent streams, more than it can carry, and wrong settings."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docker import wire
from tests.docker.deployment import nginx
from tests.docker.sites import OWN_HEADERS, Site, accepts, header
from tests.processes import wait_for
from tests.services import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("proxy")]


def test_silence_is_kept_alive_while_slow_senders_are_let_go(site: Site) -> None:
    """R2, R4: heads and bodies that trickle end after some seconds, hold up nobody, and never reach the program."""
    browser = site.sign_in()
    asked = browser.ask("Hang", "scripted-stall")
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
    quiet = wire.connect(site.https_port, site.context)
    quiet.sendall(
        f"GET {asked['events_url']} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n".encode()
    )
    slow_head = b"GET /login HTTP/1.1\r\nHost: localhost\r\nX-"
    slow_body = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"
    senders = [wire.connect(site.https_port, site.context) for _ in range(150)]
    for number, sender in enumerate(senders):
        sender.sendall(slow_body if number % 3 == 0 else slow_head)
    dripping = threading.Event()
    drip = threading.Thread(target=_drip, args=(senders[1::3], dripping))
    drip.start()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(browser.status, ["/login", "/chat", "/healthz/live"] * 8)) == {200}
    answers = [_read_to_the_end(sender) for sender in senders]
    dripping.set()
    drip.join()
    assert all(answer == b"" or wire.statuses(answer) == [408] for answer in answers)
    received = b""
    while b"\n: " not in received.replace(b"\r\n", b"\n") and b"\n:\n" not in received.replace(
        b"\r\n", b"\n"
    ):
        received += quiet.recv(65_536)  # the program's sign of life, every 15 seconds, ends this
    quiet.close()
    browser.post(f"/chat/answers/{asked['answer']}/stop")


def _drip(senders: list[socket.socket], end: threading.Event) -> None:
    """Go on sending a letter now and then, so that each connection is never quiet for long."""
    while not end.wait(0.5):
        for sender in senders:
            try:
                sender.sendall(b"a")
            except OSError:
                continue


def _read_to_the_end(sender: socket.socket) -> bytes:
    received = b""
    try:
        while piece := sender.recv(65_536):
            received += piece
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        sender.close()
    return received


def test_what_is_too_large_is_refused_in_our_words(site: Site) -> None:
    large = site.get("/api/anything", "Content-Length: 9000000", method="POST")
    assert wire.statuses(large) == [413]
    assert json.loads(large.partition(b"\r\n\r\n")[2])["data"]["reason"] == "too_large"
    page = site.get("/login", "Content-Length: 9000000", method="POST")
    assert page.endswith(b"This is too large.\n")
    for answer in (large, page):
        for name in OWN_HEADERS:
            assert len(header(answer, name)) == 1, name
    for path, headers in (
        ("/login?" + "x" * 9_000, ()),
        ("/login", ("X: " + "x" * 9_000,)),
        ("/login", ("X: y",) * 9_000),
    ):
        assert wire.statuses(site.get(path, *headers))[0] in {400, 414, 431}
    assert wire.statuses(site.get("/login", "X: " + "x" * 3_000)) == [200]


def test_beyond_its_capacity_people_are_told_to_come_back(site: Site, tls: Path, tmp_path: Path) -> None:
    """FT-23: a 503 with Retry-After at once, no hang; the same when nobody is there."""
    browser = site.sign_in()
    asked = browser.ask("Hang", "scripted-stall")
    cookies = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
    stream = f"GET {asked['events_url']} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n\r\n".encode()
    full, away, crowded = free_port(), free_port(), free_port()
    common = {"PUBLIC_URL": site.url, "TLS": "off", "FRONT_PROXIES": "127.0.0.1"}
    upstream = site.server.url.removeprefix("http://")
    with (
        nginx(
            tls,
            tmp_path / "1",
            UPSTREAMS=upstream,
            CONNECTIONS_PER_UPSTREAM="2",
            HTTP_LISTEN=f"127.0.0.1:{full}",
            **common,
        ),
        nginx(
            tls,
            tmp_path / "2",
            UPSTREAMS=f"127.0.0.1:{free_port()}",
            HTTP_LISTEN=f"127.0.0.1:{away}",
            **common,
        ),
        nginx(
            tls,
            tmp_path / "3",
            UPSTREAMS=upstream,
            CONNECTIONS_PER_ADDRESS="2",
            HTTP_LISTEN=f"127.0.0.1:{crowded}",
            **common,
        ),
    ):
        wait_for(lambda: all(accepts(port) for port in (full, away, crowded)))
        streams = [wire.connect(port) for port in (full, full, crowded, crowded)]
        for each in streams:
            each.sendall(stream)
            assert wire.statuses(each.recv(65_536)) == [200]
        ask = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        for port, status in ((full, 503), (away, 503), (crowded, 429)):
            program = wire.exchange(port, ask.format("/v1/models").encode(), seconds=20)
            page = wire.exchange(port, ask.format("/login").encode(), seconds=20)
            assert wire.statuses(program) == wire.statuses(page) == [status]
            assert json.loads(program.partition(b"\r\n\r\n")[2])["code"] == str(status)
            assert int(header(program, "Retry-After")[0]) > 0
            assert header(page, "Content-Type") == ["text/plain; charset=utf-8"]
            for name in ("Content-Security-Policy", "X-Content-Type-Options"):
                assert len(header(page, name)) == 1, (status, name)
        for each in streams:
            each.close()
    browser.post(f"/chat/answers/{asked['answer']}/stop")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"PUBLIC_URL": "http://localhost"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://localhost/path"}, "PUBLIC_URL"),
        ({"UPSTREAMS": "web:8000; evil"}, "UPSTREAMS"),
        ({"FRONT_PROXIES": "not-an-address;"}, "FRONT_PROXIES"),
        ({"TLS": "off"}, "FRONT_PROXIES"),
        ({"TLS": "maybe"}, "TLS"),
        ({"MAX_BODY_BYTES": "4m"}, "MAX_BODY_BYTES"),
    ],
)
def test_wrong_settings_of_the_proxy_are_told_in_words(
    tls: Path, tmp_path: Path, settings: dict[str, str], word: str
) -> None:
    with nginx(tls, tmp_path / "log", **{"PUBLIC_URL": "https://localhost", **settings}) as process:
        assert process.wait(30) == 1
        assert word in process.output
