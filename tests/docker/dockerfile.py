"""The Dockerfile as the tests read it, and the tree of files a builder would get."""

from __future__ import annotations

import fnmatch
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from webapp.config import ROOT

PATH: Final = ROOT / "docker" / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction, and the stage it belongs to."""

    stage: str
    word: str
    rest: str


def lines() -> list[Line]:
    """Return the instructions in order, with continued lines joined."""
    found, stage = [], ""
    joined = PATH.read_text(encoding="utf-8").replace("\\\n", " ")
    for text in joined.splitlines():
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        word, _, rest = text.strip().partition(" ")
        if word == "FROM":
            stage = rest.rpartition(" AS ")[2]
        found.append(Line(stage, word, " ".join(rest.split())))
    return found


def of(stage: str, word: str) -> list[str]:
    """Return what stands after a word in a stage."""
    return [line.rest for line in lines() if (line.stage, line.word) == (stage, word)]


def environment(stage: str) -> dict[str, str]:
    """Return what ENV sets."""
    pairs = (pair.partition("=") for rest in of(stage, "ENV") for pair in shlex.split(rest))
    return {name: value for name, _, value in pairs}


def reaches_the_builder(path: str) -> bool:
    """Tell whether .dockerignore lets a file of the tree through; the last rule that fits decides."""
    let = True
    for rule in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!")
        if _fits(pattern, path):
            let = rule.startswith("!")
    return let


def _fits(pattern: str, path: str) -> bool:
    parents = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatchcase(part, pattern[3:]) for part in Path(path).parts)
    return any(
        fnmatch.fnmatchcase(each, pattern) and each.count("/") == pattern.count("/") for each in parents
    )
