"""The import direction: down the floors, and left within kit and features. No exceptions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from webapp import features

ROOT = Path(__file__).resolve().parents[2]
ORDER = [*features.KIT, *features.FEATURES, *features.SHELLS, *features.ASSEMBLY]
OPEN_TO_OTHERS = {"service", "models", "rules"}
REQUEST_NAMES = {"request", "session", "flash", "render_template", "render_template_string"}
MAY_KNOW_REQUEST = ("views", "stream", "admin", "api", "dev", "health")
FILES = sorted((ROOT / "webapp").rglob("*.py"))


def imports_of(path: Path) -> list[str]:
    """Return the dotted names a file imports from webapp, in functions too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if alias.name.startswith("webapp")]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            if node.module and node.module.split(".")[0] == "webapp":
                names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def unit_of(dotted: str) -> str:
    return dotted.split(".")[1] if "." in dotted else ""


def faults_of(path: Path) -> list[str]:
    own_parts = path.relative_to(ROOT).with_suffix("").parts
    own = own_parts[1]
    faults: list[str] = []
    for name in imports_of(path):
        target = unit_of(name)
        if target == own or target == "":
            continue
        if own in features.GROUND:
            if own == "lib" or target not in {"config", "errors", "features"}:
                faults.append(name)
        elif target in features.GROUND:
            continue
        elif target not in ORDER or own not in ORDER or ORDER.index(target) >= ORDER.index(own):
            faults.append(name)
        elif own in features.FEATURES and target in features.FEATURES:
            parts = name.split(".")
            if len(parts) > 2 and parts[2] not in OPEN_TO_OTHERS and not is_open_part(name):
                faults.append(name)
    return faults


def is_open_part(name: str) -> bool:
    """A unit's error types and contracts belong to its rules, in files of their own."""
    return name.split(".")[2] == "errors" or name.startswith("webapp.llm.providers.contract")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    assert faults_of(path) == []


def test_lib_files_do_not_know_each_other_s_application() -> None:
    for path in (ROOT / "webapp" / "lib").rglob("*.py"):
        for name in imports_of(path):
            assert name.startswith("webapp.lib"), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_pages_know_the_request(path: Path) -> None:
    parts = path.relative_to(ROOT / "webapp").with_suffix("").parts
    if parts[0] in {"web", *features.SHELLS, *features.ASSEMBLY} or any(p in MAY_KNOW_REQUEST for p in parts):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "flask":
            assert not REQUEST_NAMES & {alias.name for alias in node.names}, path


def test_only_config_reads_the_environment() -> None:
    for path in FILES:
        if path.parent.name == "config" or path.name == "bootstrap.py":
            continue
        tree = ast.parse(path.read_text())
        used = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
            and node.attr in {"environ", "getenv", "putenv"}
        ]
        assert not used, f"{path} reads os.environ"


def test_units_on_disk_are_the_units_listed() -> None:
    folders = {
        p.name
        for p in (ROOT / "webapp").iterdir()
        if p.is_dir() and p.name not in {"templates", "static", "translations", "__pycache__"}
    }
    assert folders == {"config", "lib", *features.KIT, *features.FEATURES, *features.SHELLS}
