"""What stands in docker/monitoring: right for the real promtool, and about metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import make_settings
from tests.services import require
from webapp import metrics
from webapp.app import create_app
from webapp.audit.rules import Event
from webapp.chat.rules import AnswerState
from webapp.config import ROOT
from webapp.llm.errors import ProviderErrorKind
from webapp.metrics.names import METRICS, full_name
from webapp.tasks.rules import RunState

FOLDER = ROOT / "docker" / "monitoring"
DASHBOARD = FOLDER / "grafana" / "agent-tools.json"
NAMES = {full_name(name): metric for name, metric in METRICS.items()}
_USE = re.compile(r"(agent_tools_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


def promtool(*words: str, cwd: Path = FOLDER) -> None:
    done = subprocess.run([require("promtool"), *words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
        for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [
        each["expr"] for panel in panels() for each in panel["targets"]
    ]


def test_promtool_is_content_with_rules_and_configuration(tmp_path: Path) -> None:
    promtool("check", "rules", "rules.yml")
    promtool("test", "rules", "rules-test.yml")
    text = (FOLDER / "prometheus.yml").read_text()
    (tmp_path / "token").write_text("x")
    shutil.copy(FOLDER / "rules.yml", tmp_path / "rules.yml")
    text = text.replace("/run/secrets/metrics_token", str(tmp_path / "token"))
    (tmp_path / "prometheus.yml").write_text(
        text.replace("/etc/prometheus/rules.yml", str(tmp_path / "rules.yml"))
    )
    promtool("check", "config", "prometheus.yml", cwd=tmp_path)


def test_promtool_is_content_with_what_the_page_tells(app_text: bytes) -> None:
    done = subprocess.run(
        [require("promtool"), "check", "metrics"], input=app_text, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def app_text(tmp_path: Path, template_database: Path) -> bytes:
    shutil.copy(template_database, tmp_path / "agent-tools.db")
    app = create_app(make_settings(tmp_path, metrics_token="t" * 20))
    app.test_client().get("/login")
    with app.app_context():
        text = metrics.render(app)
    create_app(make_settings(tmp_path))  # counting ends
    assert text is not None
    return text


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_expressions_are_about_metrics_and_labels_that_exist(expression: str) -> None:
    for used, matchers in _USE.findall(expression):
        metric = NAMES.get(re.sub(r"_bucket$", "", used)) or NAMES.get(used)
        assert metric is not None, used
        for label, _sign, value in _MATCHER.findall(matchers):
            assert label in metric.labels, (used, label)
            assert_possible(label, value)


def assert_possible(label: str, pattern: str) -> None:
    """An alert on a value that never comes would be silent for ever."""
    known = {
        "event": [event.value for event in Event],
        "state": [state.value for state in RunState],
        "ending": [state.value for state in AnswerState],
        "result": ["ok", "left", "aborted", *(kind.value for kind in ProviderErrorKind)],
        "level": ["warning", "error", "critical"],
        "status": [str(status) for status in (200, 401, 403, 404, 429, 500, 503)],
    }
    for alternative in pattern.split("|") if "(" not in pattern else [pattern]:
        assert any(re.fullmatch(alternative, each) for each in known[label]), (label, alternative)


def test_every_alert_is_explained_to_operators() -> None:
    for language in ("", ".zh-CN"):
        text = (ROOT / "docs" / f"operate{language}.md").read_text()
        missing = [rule["alert"] for rule in rules() if rule["alert"] not in text]
        assert missing == []


def test_the_dashboard_shows_every_metric_once_and_its_panels_do_not_overlap() -> None:
    shown = {re.sub(r"_bucket$", "", name) for text in expressions() for name, _ in _USE.findall(text)}
    assert shown == set(NAMES)
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
