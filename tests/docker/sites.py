"""A program behind the proxy, and how to look at what it answers."""

from __future__ import annotations

import re
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.browsers import HttpBrowser
from tests.docker import wire
from tests.docker.deployment import Process
from tests.servers import Server

HEADER_SECONDS = 3
OWN_HEADERS = (
    "Strict-Transport-Security",
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Request-Id",
)


class TlsBrowser(HttpBrowser):
    """A browser that believes the site's certificate and says where it comes from."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        super().__init__(url)
        cookies = urllib.request.HTTPCookieProcessor(self.cookies)
        self.opener = urllib.request.build_opener(cookies, urllib.request.HTTPSHandler(context=context))
        self.opener.addheaders = [("Referer", f"{url}/")]


@dataclass
class Site:
    """A program behind a proxy."""

    server: Server
    proxy: Process
    context: ssl.SSLContext
    https_port: int
    http_port: int
    tls: Path

    @property
    def url(self) -> str:
        """The address people use."""
        return f"https://localhost:{self.https_port}"

    def get(self, path: str, *headers: str, method: str = "GET") -> bytes:
        """Return a whole response."""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
        return wire.exchange(self.https_port, "\r\n".join(lines).encode(), self.context, seconds=30)

    def sign_in(self) -> TlsBrowser:
        """Return Lin Yue's browser."""
        browser = TlsBrowser(self.url, self.context)
        browser.sign_in("lin.yue")
        return browser


def accepts(port: int) -> bool:
    """Tell whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def head_of(answer: bytes) -> str:
    """Return the head of a response."""
    return answer.partition(b"\r\n\r\n")[0].decode("latin-1")


def header(answer: bytes, name: str) -> list[str]:
    """Return the values of a header."""
    return re.findall(rf"^{name}: (.*?)\r?$", head_of(answer), re.MULTILINE | re.IGNORECASE)
