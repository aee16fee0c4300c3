"""Which addresses are called, and what a reply may cost: the guard of all outgoing requests (M2 to M4, M7)."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webapp.lib.outbound import addresses
from webapp.lib.outbound.client import Outbound, Reply
from webapp.lib.outbound.errors import OutboundError, Trouble
from webapp.lib.outbound.exchange import Exchange

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80e::200e",
]
LISTED_ONLY = [
    "127.0.0.1",
    "127.255.0.9",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "198.18.0.1",
    "192.0.2.1",
    "203.0.113.5",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "::ffff:169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378::1",
    "::ffff:0:127.0.0.1",
    "not an address",
    "0x7f000001",
    "2130706433",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert addresses.may_call(address)


@pytest.mark.parametrize("address", LISTED_ONLY)
def test_private_addresses_are_called_when_listed(address: str) -> None:
    assert not addresses.may_call(address)
    assert addresses.may_call(address, listed=True)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called(address: str) -> None:
    assert not addresses.may_call(address)
    assert not addresses.may_call(address, listed=True)


@pytest.mark.parametrize(
    ("host", "port", "listed"),
    [
        ("127.0.0.1", 8080, True),
        ("127.0.0.1", 8081, False),
        ("Ollama.LAN", 11434, True),
        ("ollama.lan.", 11434, True),
        ("evil.ollama.lan", 11434, False),
        ("::1", 9000, True),
        ("[::1]", 9000, True),
    ],
)
def test_list_names_host_and_port(host: str, port: int, listed: bool) -> None:
    assert addresses.is_listed(host, port, ["127.0.0.1:8080", "ollama.lan:11434", "[::1]:9000"]) is listed


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers posts: a redirect, headers or a body of any size."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path.startswith("/redirect"):
            self.send_response(307)
            self.send_header("Location", self.path.partition("=")[2])
            self.send_header("Content-Length", "0")
        elif self.path == "/headers":
            self.send_response(200)
            for number in range(200):
                self.send_header(f"X-{number}", "x" * 10)
        elif self.path == "/badchunk":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"-5\r\nhello" if self.path == "/badchunk" else b"x" * 1_000_000)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A server whose clients may leave as they like."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def serve(context: ssl.SSLContext | None = None) -> Iterator[http.server.ThreadingHTTPServer]:
    server = Server(("127.0.0.1", 0), Answering)
    server.seen = []
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    yield from serve()


def post(url: str, path: str = "/", *, allow: tuple[str, ...] = (), seconds: float = 5.0) -> Reply:
    outbound = Outbound(url, allow_hosts=allow, connect_seconds=seconds)
    return outbound.post(path, b"{}", {}, Exchange(), first_seconds=seconds)


def trouble_of(url: str, path: str = "/", *, allow: tuple[str, ...] = ()) -> Trouble:
    with pytest.raises(OutboundError) as caught:
        post(url, path, allow=allow, seconds=2.0)
    return caught.value.trouble


def test_unlisted_loopback_is_refused_before_anything_is_sent(
    server: http.server.ThreadingHTTPServer,
) -> None:
    port = server.server_port
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        assert trouble_of(f"http://{host}:{port}") in {Trouble.FORBIDDEN, Trouble.UNREACHABLE}
    assert trouble_of(f"http://localhost:{port}") is Trouble.FORBIDDEN
    assert server.seen == []
    assert post(f"http://localhost:{port}", allow=(f"localhost:{port}",)).status == 200


def test_metadata_is_refused_even_when_listed() -> None:
    assert trouble_of("http://169.254.169.254", allow=("169.254.169.254:80",)) is Trouble.FORBIDDEN


def test_name_with_one_private_address_is_refused(
    server: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that mixes addresses, or changes its mind, gets nothing: what was checked is connected to."""
    asked = []

    def lookup(host: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("8.8.8.8", port)), (*kind, ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert trouble_of(f"http://rebinding.example:{server.server_port}") is Trouble.FORBIDDEN
    assert asked == ["rebinding.example"]
    assert server.seen == []


def test_redirect_is_not_followed(server: http.server.ThreadingHTTPServer) -> None:
    port = server.server_port
    allowed = (f"127.0.0.1:{port}",)
    reply = post(f"http://127.0.0.1:{port}", f"/redirect=http://127.0.0.1:{port}/inside", allow=allowed)
    assert reply.status == 307
    assert [path for path, _ in server.seen] == [f"/redirect=http://127.0.0.1:{port}/inside"]


def test_proxies_of_the_environment_are_ignored(
    server: http.server.ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    port = server.server_port
    assert post(f"http://127.0.0.1:{port}", allow=(f"127.0.0.1:{port}",)).status == 200


def test_body_of_an_error_is_read_only_so_far(server: http.server.ThreadingHTTPServer) -> None:
    port = server.server_port
    reply = post(f"http://127.0.0.1:{port}", allow=(f"127.0.0.1:{port}",))
    assert len(reply.read_all(10_000)) == 10_000
    reply.close()


@pytest.mark.parametrize("path", ["/headers", "/badchunk"])
def test_broken_framing_is_told(server: http.server.ThreadingHTTPServer, path: str) -> None:
    port = server.server_port
    with pytest.raises(OutboundError) as caught:
        post(f"http://127.0.0.1:{port}", path, allow=(f"127.0.0.1:{port}",)).read_all()
    assert caught.value.trouble is Trouble.BROKEN


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com", "https://", "file:///etc/passwd", ""])
def test_only_whole_web_addresses(url: str) -> None:
    with pytest.raises(ValueError, match="whole address"):
        Outbound(url)


def test_unknown_name() -> None:
    assert trouble_of("http://no-such-host.invalid") in {Trouble.UNREACHABLE, Trouble.CONNECT_TIMEOUT}


# -- certificates ----------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from serve(context)


def test_unknown_certificate_is_refused(tls_server: http.server.ThreadingHTTPServer) -> None:
    port = tls_server.server_port
    assert trouble_of(f"https://127.0.0.1:{port}", allow=(f"127.0.0.1:{port}",)) is Trouble.TLS
    assert tls_server.seen == []


def test_trusted_certificate_is_taken_and_its_name_checked(
    tls_server: http.server.ThreadingHTTPServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    port = tls_server.server_port
    reply = post(f"https://127.0.0.1:{port}", allow=(f"127.0.0.1:{port}",))
    assert reply.status == 200
    assert sum(len(part) for part in iter(reply.read, b"")) == 1_000_000
    reply.close()
    assert trouble_of(f"https://localhost:{port}", allow=(f"localhost:{port}",)) is Trouble.TLS


def test_handshake_that_never_ends_is_aborted() -> None:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outbound = Outbound(
            f"https://127.0.0.1:{port}", allow_hosts=[f"127.0.0.1:{port}"], connect_seconds=60
        )
        exchange, troubles = Exchange(), []

        def ask() -> None:
            try:
                outbound.post("/", b"", {}, exchange, first_seconds=60)
            except OutboundError as error:
                troubles.append(error.trouble)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        connection, _ = silent.accept()
        assert connection.recv(1)  # the first bytes of the handshake
        exchange.abort()
        thread.join(30)
        connection.close()
        assert troubles == [Trouble.ABORTED]
