"""English and Simplified Chinese are complete, and every message of the program is in the catalogue."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import polib
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

ROOT = Path(__file__).resolve().parents[2]
CHINESE = ROOT / "webapp" / "translations" / "zh_CN" / "LC_MESSAGES" / "messages.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# Names and signs that are the same in both languages.
SAME_IN_BOTH = re.compile(
    r"(Agent Tools|Cookies|CSV|JSON lines|Redis|p95|English|中文|API|[\W\d_]+|%\(\w+\)s)*"
)


def messages_in_code() -> set[str]:
    mapping, options = parse_mapping_cfg((ROOT / "babel.cfg").open())
    found = extract_from_dir(
        ROOT / "webapp",
        mapping,
        options,
        keywords={"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)},
    )
    return {message[0] if isinstance(message, tuple) else message for _f, _l, message, _c, _x in found}


def test_every_message_is_translated() -> None:
    catalogue = polib.pofile(str(CHINESE))
    translated = {e.msgid for e in catalogue if e.translated() and not e.obsolete}
    assert messages_in_code() - translated == set()


def test_catalogue_has_nothing_else() -> None:
    catalogue = polib.pofile(str(CHINESE))
    assert {e.msgid for e in catalogue if not e.obsolete} - messages_in_code() == set()
    assert not catalogue.fuzzy_entries()


@pytest.mark.parametrize(
    "entry", polib.pofile(str(CHINESE)) if CHINESE.exists() else [], ids=lambda e: e.msgid[:40]
)
def test_translation_is_well_formed(entry: polib.POEntry) -> None:
    texts = list(entry.msgstr_plural.values()) or [entry.msgstr]
    for text in texts:
        wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural or ""))
        assert set(PLACEHOLDER.findall(text)) == wanted
        assert not re.search(r"[㐀-鿿][,;?!]", text), "Chinese sentences take full-width marks"
        if not SAME_IN_BOTH.fullmatch(entry.msgid):
            assert re.search(r"[㐀-鿿]", text), "not translated"


def test_compiled_catalogue_loads() -> None:
    data = polib.pofile(str(CHINESE)).to_binary()
    from gettext import GNUTranslations

    assert GNUTranslations(BytesIO(data)).gettext("Sign in") != "Sign in"
