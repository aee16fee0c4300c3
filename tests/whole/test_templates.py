"""Every template compiles; none holds inline script or style."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(p for p in (ROOT / "webapp").rglob("templates/**/*") if p.suffix in {".html", ".txt"})


def test_every_template_compiles(app: Flask) -> None:
    names = app.jinja_env.list_templates()
    own = {path.as_posix().split("/templates/", 1)[1] for path in TEMPLATES}
    assert own <= set(names)
    for name in names:
        if name.endswith((".html", ".txt")) and not name.startswith("bootstrap"):
            app.jinja_env.get_template(name)


def test_no_inline_script_or_style() -> None:
    for path in TEMPLATES:
        if "mail" in path.parts and path.suffix == ".html" and "templates/mail" in path.as_posix():
            continue  # mail readers know no style sheets
        text = path.read_text()
        assert not re.search(r"\sstyle\s*=", text), path
        assert not re.search(r"<style\b", text), path
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), path
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert "|safe" not in text.replace(" ", ""), path


def test_no_third_party_host() -> None:
    for path in [
        *TEMPLATES,
        *(ROOT / "webapp" / "static").rglob("*.js"),
        *(ROOT / "webapp" / "static").rglob("*.css"),
    ]:
        for url in re.findall(r"https?://[^\s\"'<>)]+", path.read_text()):
            assert url.startswith("http://www.w3.org/"), f"{path}: {url}"
