"""Pages are light: what a browser fetches for them, counted as it comes over the wire (LOOK, Weight)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.pages import PageClient

KB = 1024
GZIP = {"Accept-Encoding": "gzip"}
LOADED = re.compile(r'(?:src|href)="(/assets/[^"#]+)')
IMPORTED = re.compile(r'(?:from|import) ?"\./([\w-]+\.js)"')


@dataclass
class Load:
    """What a page costs who has never been here, in bytes: unpacked, and as sent."""

    page: int
    files: dict[str, tuple[int, int]]

    def raw(self, *endings: str) -> int:
        return sum(size for name, (size, _wire) in self.files.items() if name.endswith(endings))

    @property
    def own(self) -> int:
        """Return the size of our own style sheets and scripts."""
        return self.raw(".css", ".js") - self.raw("bootstrap.min.css")

    @property
    def wire(self) -> int:
        return self.page + sum(wire for _size, wire in self.files.values())


def load(client: PageClient, path: str) -> Load:
    """Fetch a page and all it names, modules that import one another included."""
    page = client.get(path)
    assert page.status_code == 200
    files: dict[str, tuple[int, int]] = {}
    waiting = list(LOADED.findall(page.text))
    while waiting:
        url = waiting.pop()
        if url in files:
            continue
        plain, packed = client.get(url), client.get(url, headers=GZIP)
        assert plain.status_code == packed.status_code == 200, url
        files[url] = (len(plain.data), len(packed.data))
        if url.endswith(".js"):
            waiting += [f"{url.rpartition('/')[0]}/{name}" for name in IMPORTED.findall(plain.text)]
    return Load(len(page.data), files)


@pytest.mark.parametrize("path", ["/", "/login", "/register", "/privacy"])
def test_first_load(client: PageClient, path: str) -> None:
    first = load(client, path)
    assert first.page <= 20 * KB
    assert first.raw("") + first.page <= 300 * KB
    assert first.wire <= 75 * KB
    assert first.own <= 50 * KB


@pytest.mark.parametrize("path", ["/chat", "/chat/search", "/profile/password"])
def test_pages_of_the_shell(signed_in: PageClient, path: str) -> None:
    shell = load(signed_in, path)
    assert shell.page <= 20 * KB
    assert shell.own <= 60 * KB
    assert shell.wire <= 80 * KB


def test_pages_of_the_administration(client: PageClient) -> None:
    admin = load(client, "/dev/components")
    assert any(name.endswith("css/admin.css") for name in admin.files)
    assert admin.own <= 60 * KB
    assert admin.wire - admin.page <= 75 * KB


def test_every_module_of_the_chat_is_fetched_at_once(signed_in: PageClient) -> None:
    named = set(LOADED.findall(signed_in.get("/chat").text))
    fetched = {url for url in load(signed_in, "/chat").files if "/js/chat" in url}
    assert len(fetched) > 5
    assert fetched <= named
