"""No file, function, view or template grows past its ceiling."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES, FUNCTION_LINES, VIEW_LINES, TEMPLATE_LINES = 400, 60, 35, 100
PYTHON = sorted([*(ROOT / "webapp").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(ROOT)))
def test_python_file(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            is_view = any("blueprint" in ast.unparse(d) for d in node.decorator_list)
            assert lines <= (VIEW_LINES if is_view else FUNCTION_LINES), f"{path}: {node.name}"


@pytest.mark.parametrize("suffix", ["html", "txt", "css", "js"])
def test_front_end_files(suffix: str) -> None:
    limit = TEMPLATE_LINES if suffix in {"html", "txt"} else FILE_LINES
    for path in (ROOT / "webapp").rglob(f"*.{suffix}"):
        assert len(path.read_text().splitlines()) <= limit, path
