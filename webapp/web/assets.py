"""Static files: what is generated from installed packages and our own sources, and how it is served.

Everything a browser may fetch lies in one folder of the instance, made by `build`, and is read into memory
once. Addresses carry a hash of all of it, so that they may be kept for a year, and so that a module which
imports its neighbour by a relative path gets the neighbour of the same release.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import importlib.resources
import mimetypes
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, current_app, has_request_context, request, url_for
from werkzeug.exceptions import NotFound

from webapp.web import icons
from webapp.web.guards import public

SOURCES: Final = Path(__file__).resolve().parent.parent / "static"
TRANSLATIONS: Final = SOURCES.parent / "translations"
FOLDER: Final = "static-generated"
STAMP: Final = "stamp"
PACKAGES: Final = ("bootstrap-flask", "lucide")
STYLE_SHEETS: Final = {
    "css/app.css": ("tokens", "base", "controls", "states", "surfaces", "shell", "prose", "chat", "pages"),
    "css/account.css": ("account",),
    "css/admin.css": ("admin", "people"),
    "css/records.css": ("records",),
    "css/tasks.css": ("tasks",),
    "css/api.css": ("api",),
    "css/schedules.css": ("schedules",),
}
COMPRESSED: Final = frozenset({".css", ".js", ".svg"})
KEPT_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"

_DATA_URL: Final = re.compile(r"""url\((["']?)data:.*?\1\)""", re.DOTALL)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_QUOTED: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)""")
_SIGN: Final = re.compile(r" *(=>|[!=]==?|&&|\|\||\?\?=?|[=?:,;{}<>|]) *")
_ENDPOINT: Final = "assets.serve"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    compressed: bytes | None
    content_type: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All files that may be fetched, and the hash that stands in their addresses."""

    release: str
    files: dict[str, Asset]


def build(instance_path: Path | str) -> None:
    """Bring the generated files and the compiled translations up to date; does nothing when they are.

    Safe to run in several processes at once: each file is replaced whole, and the stamp comes last.
    """
    compile_translations()
    target = Path(instance_path) / FOLDER
    stamp = _current_stamp()
    if _read_stamp(target) == stamp:
        return
    wanted = _generate()
    for name, body in wanted.items():
        _replace(target / name, body)
    for path in target.rglob("*"):
        if path.is_file() and path.relative_to(target).as_posix() not in wanted:
            path.unlink(missing_ok=True)
    _replace(target / STAMP, stamp.encode())


def init_app(app: Flask) -> None:
    """Build what is missing, read it, and serve it to anybody under `/assets/<hash>/`."""
    build(app.instance_path)
    app.extensions["assets"] = _load(Path(app.instance_path) / FOLDER)
    app.add_url_rule("/assets/<release>/<path:name>", _ENDPOINT, serve)


def asset_url(name: str) -> str:
    """Return the address of a file, such as `css/app.css`; raises LookupError for a name that is not served."""
    catalogue = _catalogue()
    if name not in catalogue.files:
        raise LookupError(f"There is no asset named {name}.")
    if has_request_context():
        return _address(catalogue.release, name, request.root_path)
    return url_for(_ENDPOINT, release=catalogue.release, name=name)


@lru_cache(maxsize=1024)
def _address(release: str, name: str, _root: str) -> str:
    """Return what is the same for all requests to a program mounted at the same place."""
    return url_for(_ENDPOINT, release=release, name=name)


@public
def serve(release: str, name: str) -> Response:
    """Send one file; under the hash of another release without permission to keep it."""
    catalogue = _catalogue()
    asset = catalogue.files.get(name)
    if asset is None:
        raise NotFound
    small = asset.compressed if request.accept_encodings["gzip"] > 0 else None
    response = Response(asset.body if small is None else small, content_type=asset.content_type)
    if asset.compressed is not None:
        response.vary.add("Accept-Encoding")
    if small is not None:
        response.content_encoding = "gzip"
    response.headers["Cache-Control"] = KEPT_FOR_A_YEAR if release == catalogue.release else "no-cache"
    response.set_etag(f"{catalogue.release}{'-gzip' if small is not None else ''}")
    return cast("Response", response.make_conditional(request))


def compile_translations(folder: Path = TRANSLATIONS) -> None:
    """Compile each message catalogue whose compiled form is missing or older."""
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if compiled.is_file() and compiled.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as readable:
            catalogue = read_po(readable, locale=source.parent.parent.name)
        scratch = compiled.with_suffix(f".{os.getpid()}")
        with scratch.open("wb") as writable:
            write_mo(writable, catalogue)
        scratch.replace(compiled)


def bootstrap_css() -> str:
    """Return Bootstrap's style sheet without its data URLs, which our policy for images would refuse."""
    wheel = importlib.resources.files("flask_bootstrap")
    css = wheel.joinpath("static/bootstrap5/css/bootstrap.min.css").read_text(encoding="utf-8")
    return without_data_urls(css)


def without_data_urls(css: str) -> str:
    """Return a style sheet of others without what our policy for images would refuse, and its map."""
    return re.sub(r"/\*# sourceMappingURL=.*?\*/", "", _DATA_URL.sub("none", css))


def compact(css: str) -> str:
    """Return the style sheet without comments, and without white space that means nothing."""
    css = re.sub(r"\s+", " ", _COMMENT.sub("", css))
    css = re.sub(r" ?([{};,]) ?", r"\1", css)
    css = re.sub(r"([\w-]): ", r"\1:", css)
    css = css.replace(" > ", ">").replace(" !important", "!important")
    return css.replace(";}", "}").strip()


def compact_script(script: str) -> str:
    """Return the module without comment lines, indentation, and the spaces around signs.

    Lines are kept apart, so no semicolon is missed. A line that may hold a regular expression or a comment is kept as it
    is, and so is all text in quotes; text over several lines must not rely on its indentation.
    """
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(_tight(line) for line in lines if line and not line.startswith("//")) + "\n"


def _tight(line: str) -> str:
    """Return a line of script without the spaces around signs; every second piece is text in quotes."""
    if "/" in _QUOTED.sub("", line):
        return line
    pieces = _QUOTED.split(line)
    pieces[::2] = (_SIGN.sub(r"\1", piece) for piece in pieces[::2])
    return "".join(pieces)


def _generate() -> dict[str, bytes]:
    """Return every file by its name, the compressed ones beside the plain."""
    files = {"css/bootstrap.min.css": bootstrap_css().encode(), "icons.svg": icons.sprite()}
    for name, parts in STYLE_SHEETS.items():
        sources = (SOURCES.joinpath("css", f"{part}.css").read_text(encoding="utf-8") for part in parts)
        files[name] = compact("".join(sources)).encode()
    for path in SOURCES.glob("js/*.js"):
        files[f"js/{path.name}"] = compact_script(path.read_text(encoding="utf-8")).encode()
    for path in SOURCES.glob("img/*.svg"):
        files[f"img/{path.name}"] = path.read_bytes()
    packed = {
        f"{name}.gz": gzip.compress(body, 9, mtime=0)
        for name, body in files.items()
        if Path(name).suffix in COMPRESSED
    }
    return files | packed


def _current_stamp() -> str:
    """Return a hash of all that the generated files depend on."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        digest.update(f"{package}={importlib.metadata.version(package)}\n".encode())
    own = [
        Path(__file__),
        Path(icons.__file__),
        *sorted(path for path in SOURCES.rglob("*") if path.is_file()),
    ]
    for path in own:
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _read_stamp(target: Path) -> str:
    stamp = target / STAMP
    return stamp.read_text(encoding="utf-8") if stamp.is_file() else ""


def _replace(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(body)
    scratch.replace(path)


def _load(folder: Path) -> Catalogue:
    files: dict[str, Asset] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.suffix == ".gz" or name == STAMP or path.name.startswith("."):
            continue
        packed = path.with_name(f"{path.name}.gz")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        files[name] = Asset(
            path.read_bytes(), packed.read_bytes() if packed.is_file() else None, f"{kind}; charset=utf-8"
        )
    return Catalogue(_read_stamp(folder)[:12], files)


def _catalogue() -> Catalogue:
    return cast("Catalogue", current_app.extensions["assets"])
