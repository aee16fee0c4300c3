"""nginx as docker/nginx configures it, before the real program: what comes through, and what does not."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path

import pytest

from tests.docker import wire
from tests.docker.deployment import nginx
from tests.docker.sites import OWN_HEADERS, Site, accepts, head_of, header
from tests.processes import wait_for
from tests.services import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("proxy")]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_plain_http_leads_to_the_one_name_over_tls(site: Site) -> None:
    answer = wire.exchange(site.http_port, b"GET /login?next=/chat HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert wire.statuses(answer) == [308]
    assert header(answer, "Location") == [f"{site.url}/login?next=/chat"]
    for host in (b"evil.example", b"127.0.0.1"):
        assert wire.exchange(site.http_port, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host) == b""
    with pytest.raises(ssl.SSLError):
        wire.connect(site.https_port, ssl._create_unverified_context(), name="evil.example")
    old = ssl._create_unverified_context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        wire.connect(site.https_port, old)


def test_pages_come_through_with_each_header_once(site: Site) -> None:
    answer = site.get("/login")
    assert wire.statuses(answer) == [200]
    for name in (*OWN_HEADERS, "Server", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cache-Control"):
        assert len(header(answer, name)) == 1, name
    assert "script-src 'self'" in header(answer, "Content-Security-Policy")[0]
    cookie = header(answer, "Set-Cookie")[0]
    assert cookie.startswith("__Host-session=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"))
    assert "Domain" not in cookie
    assert "nginx/" not in head_of(answer)


def test_no_forged_header_reaches_the_program(site: Site) -> None:
    """D2: whatever the sender claims, the address is that of its connection, and the rest that of the site."""
    forged = (
        *(
            "X-Forwarded-For: 203.0.113.9",
            "X-Forwarded-For: 203.0.113.8, 203.0.113.7",
            "X-Real-IP: 203.0.113.6",
        ),
        *("Forwarded: for=203.0.113.5;host=evil.example;proto=http", "X-Forwarded-Host: evil.example"),
        *(
            "X-Forwarded-Proto: http",
            "X-Forwarded-Port: 1",
            "X-Forwarded-Prefix: /evil",
            "Proxy: http://evil.example",
        ),
        *("X-Request-Id: forged-id-0123456789", "X_Forwarded_For: 203.0.113.4"),
    )
    answer = site.get("/login", *forged)
    assert wire.statuses(answer) == [200]
    assert b"evil" not in answer
    assert header(answer, "Set-Cookie")[0].startswith("__Host-")  # it takes the request for one over HTTPS
    request_id = header(answer, "X-Request-Id")[0]
    lines = [json.loads(line) for line in site.server.log.read_text().splitlines() if request_id in line]
    assert [line["address"] for line in lines] == ["127.0.0.1"]
    assert "203.0.113" not in site.server.log.read_text()
    assert "forged-id" not in site.server.log.read_text()
    assert request_id in site.proxy.output


def test_an_answer_arrives_piece_by_piece(site: Site) -> None:
    browser = site.sign_in()
    asked = browser.ask("Tell me a lot", "scripted-slow")
    events = browser.events(asked["answer"])
    for _ in range(4):
        next(events)
    assert browser.answer_state(asked["answer"]) == "streaming"  # much of it has not been written yet
    browser.post(f"/chat/answers/{asked['answer']}/stop")
    assert [event.name for event in events][-1] == "done"


def test_no_request_hides_in_another(site: Site, tls: Path, tmp_path: Path) -> None:
    """R5: behind the proxy and at the program itself, each ambiguous request is refused or read as one."""
    own = int(site.server.url.rpartition(":")[2])
    port = free_port()
    settings = {"PUBLIC_URL": "https://localhost", "UPSTREAMS": f"127.0.0.1:{own}", "TLS": "off"}
    with nginx(tls, tmp_path / "log", FRONT_PROXIES="127.0.0.1", HTTP_LISTEN=f"127.0.0.1:{port}", **settings):
        wait_for(lambda: accepts(port))
        for where in (port, own):
            answers = wire.exchange_all(where, wire.AMBIGUOUS)
            assert not [name for name, answer in answers.items() if b'"live"' in answer]
            assert not [
                name for name, answer in answers.items() if any(each >= 502 for each in wire.statuses(answer))
            ]
            for name in wire.REFUSED:
                assert wire.statuses(answers[name])[0] in {400, 505}, (where, name)
        # No connection to the program is left with the rest of a request on it.
        live = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        after = wire.exchange_all(port, {str(number): live for number in range(70)})
        assert all(b'"live"' in answer and wire.statuses(answer) == [200] for answer in after.values())


def test_addresses_from_a_known_proxy_in_front_are_believed_up_to_that_proxy(
    site: Site, tls: Path, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "PUBLIC_URL": "https://localhost",
        "UPSTREAMS": site.server.url.removeprefix("http://"),
        "TLS": "off",
    }
    with nginx(
        tls,
        tmp_path / "log",
        FRONT_PROXIES="127.0.0.1 192.0.2.0/24",
        HTTP_LISTEN=f"127.0.0.1:{port}",
        **settings,
    ):
        wait_for(lambda: accepts(port))
        forwarded = "203.0.113.9, 198.51.100.7, 192.0.2.4"  # invented by the sender, the sender, another proxy of ours
        request = f"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: {forwarded}\r\n\r\n"
        answer = wire.exchange(port, request.encode(), seconds=30)
        request_id = header(answer, "X-Request-Id")[0]
        lines = [json.loads(line) for line in site.server.log.read_text().splitlines() if request_id in line]
        assert [line["address"] for line in lines] == ["198.51.100.7"]


def test_methods_and_upgrades(site: Site) -> None:
    upgrade = ("Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13")
    assert wire.statuses(site.get("/login", *upgrade)) == [200]
    assert wire.statuses(site.get("/login", method="TRACE")) == [405]
    assert wire.statuses(site.get("localhost:443", method="CONNECT"))[0] in {400, 405}
    assert wire.statuses(site.get("/metrics")) == [404]
    body = b"login=x&password=y"
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body)
    with wire.connect(site.https_port, site.context) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert wire.statuses(answer) == [400]  # without a token


def test_files_with_a_hash_are_kept_by_the_proxy(site: Site) -> None:
    path = re.search(rb'href="(/assets/[^"]+css/app\.css)"', site.get("/login"))[1].decode()  # type: ignore[index]
    plain, again = site.get(path), site.get(path)
    packed = site.get(path, "Accept-Encoding: gzip")
    assert wire.statuses(plain) == wire.statuses(again) == wire.statuses(packed) == [200]
    assert plain.partition(b"\r\n\r\n")[2] == again.partition(b"\r\n\r\n")[2]
    assert header(packed, "Content-Encoding") == ["gzip"]
    assert header(plain, "Content-Encoding") == []
    assert "immutable" in header(again, "Cache-Control")[0]
    assert header(plain, "X-Request-Id") != header(again, "X-Request-Id")
    for name in OWN_HEADERS:
        assert len(header(again, name)) == 1, name
    [line] = [
        json.loads(line)
        for line in site.proxy.output.splitlines()
        if header(again, "X-Request-Id")[0] in line
    ]
    assert line["upstream_seconds"] == ""  # it was not asked
