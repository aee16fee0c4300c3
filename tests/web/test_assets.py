"""Generated files are right and light, and are served so that they can be kept."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.front_end import make_app
from webapp.web import assets, icons

SOURCES = assets.SOURCES
TEMPLATES = sorted((SOURCES.parent).rglob("templates/**/*.html"))
DARK = re.compile(r"\[data-bs-theme=dark\] \{(?P<body>.*?)\n\}", re.DOTALL)
AUTO = re.compile(
    r"@media \(prefers-color-scheme: dark\) \{\s*\[data-bs-theme=auto\] \{(?P<body>.*?)\n  \}", re.DOTALL
)
ONLY_IN_THE_DASHBOARD = {
    "picks.js",
    "selection.js",
    "task-form.js",
    "task-run.js",
}  # loaded there as admin.css is, not by a first visit


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_app(tmp_path_factory.mktemp("instance"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def built(app: Flask) -> Path:
    return Path(app.instance_path) / assets.FOLDER


def url_of(app: Flask, name: str) -> str:
    with app.test_request_context():
        return assets.asset_url(name)


def declarations(pattern: re.Pattern[str]) -> dict[str, str]:
    css = re.sub(r"/\*.*?\*/", "", (SOURCES / "css" / "tokens.css").read_text(), flags=re.DOTALL)
    found = pattern.search(css)
    assert found, "no such block in tokens.css"
    return dict(re.findall(r"([\w-]+): ([^;]+);", found["body"]))


def test_bootstrap_has_no_data_urls(built: Path) -> None:
    css = (built / "css/bootstrap.min.css").read_text()
    assert "data:" not in css
    assert "sourceMappingURL" not in css
    assert ".btn-primary" in css
    assert len(css) > 200_000


@pytest.mark.parametrize("name", list(assets.STYLE_SHEETS))
def test_own_css_loads_nothing(built: Path, name: str) -> None:
    css = (built / name).read_text()
    assert "url(" not in css
    assert "@import" not in css
    assert "/*" not in css
    assert css.count("{") == css.count("}")


def test_every_source_is_in_a_style_sheet() -> None:
    parts = {part for parts in assets.STYLE_SHEETS.values() for part in parts}
    assert parts == {path.stem for path in (SOURCES / "css").glob("*.css")}


def test_dark_tokens_stand_twice_and_equal() -> None:
    dark = declarations(DARK)
    assert dark == declarations(AUTO)
    assert {"--bg", "--ink", "--accent", "--field", "color-scheme"} <= dark.keys()
    assert len(dark) > 50


def test_every_token_used_is_defined() -> None:
    sources = "".join(path.read_text() for path in (SOURCES / "css").glob("*.css"))
    used = set(re.findall(r"var\((--[\w-]+)", sources))
    assert used <= set(re.findall(r"(--[\w-]+):", sources))


@pytest.mark.parametrize(
    ("css", "compacted"),
    [
        ("a > b { color: red !important; }\n", "a>b{color:red!important}"),
        (
            "/* why */ .a,\n.b { margin: 0 auto; top: calc(1px + 2px); }",
            ".a,.b{margin:0 auto;top:calc(1px + 2px)}",
        ),
        (".prose :is(p, li) { x: y; }", ".prose :is(p,li){x:y}"),
        ("@media (max-width: 9px) { a:hover { b: c; } }", "@media (max-width:9px){a:hover{b:c}}"),
    ],
)
def test_compact_keeps_the_meaning(css: str, compacted: str) -> None:
    assert assets.compact(css) == compacted


def test_scripts_may_be_compacted() -> None:
    """No text runs over several lines, where indentation would be part of it."""
    for path in (SOURCES / "js").glob("*.js"):
        for line in path.read_text().splitlines():
            assert line.count("`") % 2 == 0, f"{path.name}: {line}"
            assert not line.endswith("\\"), f"{path.name}: {line}"


@pytest.mark.parametrize(
    ("script", "compacted"),
    [
        ('// why\nconst a = "x // y";\n\n  go(a); // here\n', 'const a="x // y";\ngo(a); // here\n'),
        ("if (a > b) { c(x, y => y + 1); }\n", "if (a>b){c(x,y=>y + 1);}\n"),
        ('const s = a ? "b , c" : `d = ${e}`;\n', 'const s=a?"b , c":`d = ${e}`;\n'),
        ("x = y.replace(/ = /, z);\n", "x = y.replace(/ = /, z);\n"),
        ("for (const a of b) return a ?? -1;\n", "for (const a of b) return a??-1;\n"),
    ],
)
def test_compacted_scripts_mean_the_same(script: str, compacted: str) -> None:
    assert assets.compact_script(script) == compacted


def test_sprite_holds_every_icon(built: Path) -> None:
    sprite = (built / "icons.svg").read_text()
    assert re.findall(r'<symbol id="i-([\w-]+)"', sprite) == list(icons.ICONS)
    assert sprite.count('fill="none" stroke="currentColor"') == len(icons.ICONS)
    assert "ns0:" not in sprite


def test_icons_named_in_templates_exist() -> None:
    named = {
        name for path in TEMPLATES for name in re.findall(r"\bicon\(\s*['\"]([\w-]+)['\"]", path.read_text())
    }
    assert named
    assert named <= icons.ICONS.keys()


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    assets.build(tmp_path)
    stamp = tmp_path / assets.FOLDER / assets.STAMP
    os.utime(stamp, ns=(1, 1))
    assets.build(tmp_path)
    assert stamp.stat().st_mtime_ns == 1


def test_an_old_build_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / assets.FOLDER
    assets.build(tmp_path)
    (folder / assets.STAMP).write_text("of another release")
    (folder / "css/app.css").write_text("old")
    (folder / "js/gone.js").write_text("old")
    assets.build(tmp_path)
    assert (folder / "css/app.css").read_text() != "old"
    assert not (folder / "js/gone.js").exists()


def test_files_are_kept_for_a_year_under_their_hash(app: Flask, client: FlaskClient) -> None:
    for name in ("css/bootstrap.min.css", "css/app.css", "js/app.js", "icons.svg", "img/mark.svg"):
        answer = client.get(url_of(app, name))
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"].endswith("charset=utf-8")
    assert client.get(url_of(app, "js/app.js")).mimetype == "text/javascript"
    assert client.get(url_of(app, "icons.svg")).mimetype == "image/svg+xml"


def test_another_release_is_answered_but_not_kept(client: FlaskClient) -> None:
    answer = client.get("/assets/0123456789ab/css/app.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_compressed_for_those_who_take_it(app: Flask, client: FlaskClient) -> None:
    url = url_of(app, "css/app.css")
    plain = client.get(url)
    packed = client.get(url, headers={"Accept-Encoding": "br, gzip"})
    refused = client.get(url, headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data == refused.data
    for answer in (plain, packed, refused):
        assert answer.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_unchanged_is_304(app: Flask, client: FlaskClient) -> None:
    url = url_of(app, "css/app.css")
    etag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "",
        "css/",
        "css",
        "css/tokens.css",
        "stamp",
        "css/app.css.gz",
        "../agent-tools.db",
        "..%2fagent-tools.db",
        "%2e%2e/stamp",
        "js/app.js/",
    ],
)
def test_nothing_else_is_served(app: Flask, client: FlaskClient, name: str) -> None:
    base = url_of(app, "icons.svg").removesuffix("icons.svg")
    assert client.get(base + name).status_code == 404


def test_a_name_that_is_not_served_fails_loudly(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(LookupError):
        assets.asset_url("css/missing.css")


def test_first_load_is_light(built: Path) -> None:
    """First load at most 75 KB on the wire and own CSS and JS at most 60 KB raw, leaving 15 KB for a page."""
    scripts = [path for path in (built / "js").glob("*.js") if path.name not in ONLY_IN_THE_DASHBOARD]
    own = [built / "css/app.css", *scripts]
    loaded = [*own, built / "css/bootstrap.min.css", built / "icons.svg", built / "img/mark.svg"]
    wire = sum(path.with_name(path.name + ".gz").stat().st_size for path in loaded)
    assert wire <= 60 * 1024
    assert sum(path.stat().st_size for path in own) <= 60 * 1024


def test_translations_are_compiled_when_older(tmp_path: Path) -> None:
    folder = tmp_path / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source, compiled = folder / "messages.po", folder / "messages.mo"
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Back"\nmsgstr "返回"\n'
    )
    assets.compile_translations(tmp_path)
    assert "返回".encode() in compiled.read_bytes()
    compiled.write_bytes(b"newer")
    assets.compile_translations(tmp_path)
    assert compiled.read_bytes() == b"newer"
    os.utime(compiled, ns=(1, 1))
    assets.compile_translations(tmp_path)
    assert "返回".encode() in compiled.read_bytes()
