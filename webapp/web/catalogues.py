"""Catalogues of translations, compiled when the program starts: the source is all there is in the tree."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from webapp.config import ROOT, Settings

SOURCES: Final = ROOT / "webapp" / "translations"
INSIDE: Final = Path("LC_MESSAGES", "messages.mo")


def compiled_folder(settings: Settings) -> str:
    """Return a folder with the compiled catalogues, of this version; makes it the first time."""
    sources = {path.parents[1].name: path.read_bytes() for path in sorted(SOURCES.glob("*/LC_MESSAGES/*.po"))}
    version = hashlib.sha256(b"\0".join(sources.values())).hexdigest()[:16]
    folder = settings.instance_path / "run" / "translations" / version
    for language, source in sources.items():
        target = folder / str(Locale.parse(language)) / INSIDE  # the name Flask-Babel looks for: zh_Hans_CN
        if not target.is_file():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = target.with_name(f"messages.{os.getpid()}")
            draft.write_bytes(_compiled(source, language))
            draft.replace(target)  # processes that start together write the same
    return str(folder)


@cache
def _compiled(source: bytes, language: str) -> bytes:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=language))
    return compiled.getvalue()
