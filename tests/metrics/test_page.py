"""`/metrics`: who may see it, what it tells, and that several processes count as one."""

from __future__ import annotations

import logging
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.chat.waiting import ask, wait_for_end
from tests.conftest import make_settings
from tests.pages import PageClient
from tests.people import Person, sign_in
from tests.processes import wait_for
from tests.servers import Server, serving
from webapp import metrics
from webapp.app import create_app
from webapp.config import Settings
from webapp.metrics.names import METRICS, full_name

TOKEN = "metrics-token-" + "m" * 20
BEARER = {"Authorization": f"Bearer {TOKEN}"}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def settings(instance: Path) -> Settings:
    return make_settings(instance, metrics_token=TOKEN)


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    """Return the sum of all samples of that name with these labels."""
    wanted = set(labels.items())
    return sum(
        number for (each, has), number in found.items() if each == full_name(name) and wanted <= set(has)
    )


def scrape(client: PageClient) -> Samples:
    response = client.get("/metrics", headers=BEARER)
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=0.0.4")
    return samples(response.text)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ☃".encode()]
)
def test_strangers_see_nothing(client: PageClient, header: str | bytes | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 401
    assert "agent_tools_" not in response.text


def test_a_request_an_answer_and_a_refusal_are_counted(app: Flask, client: PageClient, user: Person) -> None:
    before = scrape(client)
    signed_in = sign_in(app, user)
    sent = ask(signed_in, "Hello", "scripted-echo")
    wait_for_end(signed_in, sent["answer"])
    client.get("/chat/answers/" + "x" * 22)
    client.get("/no/such/page/4711")
    after = scrape(client)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("http_requests_total", method="POST", route="/chat/messages", status="200") == 1
    assert grown("http_requests_total", route="none", status="404") == 1
    assert grown("http_request_seconds_count", area="chat") >= 1
    assert grown("answers_total", ending="complete") == 1
    assert grown("answer_seconds_count") == 1
    assert grown("answer_first_token_seconds_count") == 1
    assert grown("tokens_total", direction="out") > 0
    assert grown("provider_calls_total", provider="scripted", result="ok") == 1
    assert grown("journal_commit_seconds_count") >= 1
    assert grown("audit_events_total", event="user:signed_in") == 1
    assert value(after, "database_up") == 1
    assert value(after, "disk_size_bytes") > value(after, "disk_free_bytes") > 0
    assert value(after, "process_resident_memory_bytes") > 10_000_000
    assert value(after, "process_open_files_limit") >= value(after, "process_open_files") > 3
    assert value(after, "build_info") == 1


def test_names_and_labels_are_those_listed_and_tell_nothing_private(
    app: Flask, client: PageClient, user: Person
) -> None:
    """Base units and `_total`; no id, no name, no text of anybody in any label."""
    signed_in = sign_in(app, user)
    sent = ask(signed_in, "a very private question", "scripted-echo")
    wait_for_end(signed_in, sent["answer"])
    text = client.get("/metrics", headers=BEARER).text
    for private in (user.public_id, user.username, "private", sent["answer"], sent["conversation"]):
        assert private not in text
    listed = {full_name(name) for name in METRICS}
    for name, _labels in samples(text):
        assert re.sub(r"_(bucket|sum|count|created)$", "", name) in listed or name in listed
    for name, metric in METRICS.items():
        assert name.endswith("_total") == (metric.kind == "counter"), name
        assert not re.search(r"(milliseconds|_ms|minutes|kilobytes|percent)(_|$)", name), name


def test_every_warning_has_a_counter(app: Flask, client: PageClient) -> None:
    before = value(scrape(client), "log_records_total", level="warning", logger="webapp.mail.delivery")
    logging.getLogger("webapp.mail.delivery").warning("mail not sent")
    after = value(scrape(client), "log_records_total", level="warning", logger="webapp.mail.delivery")
    assert after == before + 1


def test_nothing_is_counted_without_a_token(instance: Path) -> None:
    app = create_app(make_settings(instance))
    metrics.count("http_requests_total", method="GET", route="/", status="200")
    assert metrics.render(app) is None
    assert app.test_client().get("/metrics").status_code == 404


@pytest.fixture
def server(instance: Path) -> Iterator[Server]:
    with serving(instance, WEB_CONCURRENCY="2", METRICS_TOKEN=TOKEN) as running:
        wait_for(lambda: len(running.workers()) == 2)
        yield running


def fetch(server: Server) -> Samples:
    request = urllib.request.Request(server.url + "/metrics", headers=BEARER)
    with urllib.request.urlopen(request, timeout=20) as response:
        return samples(response.read().decode())


@pytest.mark.slow
def test_no_counter_falls_when_a_worker_dies_and_its_gauges_go(server: Server) -> None:
    """Two workers and their successors count together."""
    live = {"method": "GET", "route": "/healthz/live"}
    wait_for(lambda: value(fetch(server), "processes") == 2)
    for _ in range(30):
        urllib.request.urlopen(server.url + "/healthz/live", timeout=20).close()
    first = fetch(server)
    assert value(first, "http_requests_total", **live) == 30
    old = server.workers()
    server.kill_worker(old[0])
    wait_for(lambda: len(server.workers()) == 2 and set(server.workers()) != set(old))
    wait_for(lambda: value(fetch(server), "processes") == 2)
    second = fetch(server)
    for (name, labels), number in first.items():
        if name.endswith(("_total", "_count", "_bucket")):
            assert second.get((name, labels), -1) >= number, (name, labels)
    assert value(second, "http_requests_total", **live) == 30
    assert value(second, "processes") == 2
    memory = value(second, "process_resident_memory_bytes")
    assert memory < 3 * value(second, "process_largest_memory_bytes")
