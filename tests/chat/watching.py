"""Reading answers of a running server: as a page does, and by hand; which process does what."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from pathlib import Path

import psutil

from tests.browsers import HttpBrowser
from tests.chat.reading import Page
from tests.processes import wait_for
from tests.servers import Server

WAIT_SECONDS = 60


class Watcher(Page):
    """A page that remembers the raw text it has shown; for answers of one paragraph."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""

    def take_event(self, name: str, data: dict, identity: str | None) -> None:
        self.apply(name, data, identity)
        self.shown = max(self.shown, self.tail, key=len)


def follow(browser: HttpBrowser, answer: str, page: Watcher, *, events: int | None = None) -> Watcher:
    """Read on from where the page is, to the end or for so many events."""
    for number, event in enumerate(browser.events(answer, page.id), 1):
        page.take_event(event.name, event.data, event.id)
        if event.name == "done" or number == events:
            break
    return page


def follow_to_the_end(browser: HttpBrowser, answer: str, page: Watcher) -> Watcher:
    """Do what the page does: come back whenever the line breaks."""
    deadline = time.monotonic() + WAIT_SECONDS
    while page.state == "streaming" and time.monotonic() < deadline:
        try:
            follow(browser, answer, page)
        except OSError:
            time.sleep(0.2)
    return page


def wait_for_state(browser: HttpBrowser, answer: str, wanted: str) -> None:
    """Wait for a state, through errors of a server that comes and goes."""

    def look() -> bool:
        try:
            return browser.answer_state(answer) == wanted
        except OSError:
            return False

    wait_for(look)


def raw_stream(
    server: Server, visitor: HttpBrowser, answer: str, *, buffer: int | None = None
) -> socket.socket:
    """Ask for a stream by hand; what is done with the connection then is the caller's."""
    cookie = "; ".join(f"{each.name}={each.value}" for each in visitor.cookies)
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.socket()
    if buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(WAIT_SECONDS)
    connection.connect((host, int(port)))
    head = f"GET /chat/answers/{answer}/events HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def holder_of(server: Server, ports: set[int]) -> set[int]:
    """Return the workers that hold a connection from one of these ports."""
    found = set()
    for pid in server.workers():
        try:
            connections = psutil.Process(pid).net_connections("tcp")
        except psutil.Error:
            continue
        if any(each.raddr and each.raddr.port in ports for each in connections):
            found.add(pid)
    return found


def writers_of(server: Server) -> dict[str, int]:
    """Return which process writes, or wrote, which answer."""
    folder = server.environment["INSTANCE_PATH"]
    with sqlite3.connect(f"{folder}/agent-tools.db") as connection:
        rows = connection.execute(
            "SELECT m.public_id, g.process FROM generations g JOIN messages m ON m.id = g.message_id"
        ).fetchall()
    connection.close()
    return {answer: int(process.split("/")[1]) for answer, process in rows}


def wait_for_writer(server: Server, answer: str) -> int:
    return int(wait_for(lambda: writers_of(server).get(answer)))


def integrity(folder: Path) -> str:
    with sqlite3.connect(folder / "agent-tools.db") as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def take_lines(stream: object, page: Watcher) -> None:
    """Read an event stream as it comes over the wire, chunks and all, until it ends."""
    fields: dict[str, str] = {}
    for raw in stream:  # type: ignore[attr-defined]
        name, found, value = raw.decode().rstrip("\n").partition(": ")
        if found and name in {"event", "data", "id"}:
            fields[name] = value
        elif raw == b"\n" and "event" in fields:
            page.take_event(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}
