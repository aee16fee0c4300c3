"""The bills of materials, and the workflow of the hosted CI."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from webapp.config import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("name", ["requirements.txt", "requirements-celery.txt"])
def test_the_bill_names_every_package_with_its_hashes(name: str, tmp_path: Path) -> None:
    """S5: what `make sbom` runs."""
    bill = tmp_path / "bill.json"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert (
        "cyclonedx_py requirements $$list --pyproject pyproject.toml --output-reproducible --of JSON"
        in makefile
    )
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", name, "--pyproject", "pyproject.toml"]
    command += ["--output-reproducible", "--of", "JSON", "--output-file", str(bill)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    document = json.loads(bill.read_text())
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "agent-tools")
    locked = set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", (ROOT / name).read_text(), re.MULTILINE))
    found = {part["name"]: part for part in document["components"]}
    assert {each.lower().replace("_", "-") for each in found} == locked
    for part in found.values():
        assert part["version"]
        hashes = [each for reference in part["externalReferences"] for each in reference.get("hashes", ())]
        assert hashes, part["name"]
        assert {each["alg"] for each in hashes} == {"SHA-256"}


def test_the_hosted_ci_runs_the_same_commands_on_every_supported_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    test = workflow["jobs"]["test"]
    assert test["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert test["steps"][-1]["run"] == "bash .ci/run"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert all("@v" in step["uses"] for step in job["steps"] if "uses" in step)
