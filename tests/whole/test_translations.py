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
    return {message[0] if isinstance(message, tuple) else message for message in extracted()}


def extracted() -> list[str | tuple[str, str]]:
    """Return every text of the program; a pair where it depends on a number."""
    mapping, options = parse_mapping_cfg((ROOT / "babel.cfg").open())
    found = extract_from_dir(
        ROOT / "webapp",
        mapping,
        options,
        keywords={"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)},
    )
    return [message for _f, _l, message, _c, _x in found]


def test_a_text_used_alone_is_not_that_of_a_number() -> None:
    """A catalogue has one entry for both, and where it names the number, the text alone has none to put in."""
    messages = extracted()
    alone = {message for message in messages if not isinstance(message, tuple)}
    numbered = {m[0]: m[1] for m in messages if isinstance(m, tuple)}
    for text in alone & set(numbered):
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(numbered[text])), text


def test_every_message_is_translated() -> None:
    catalogue = polib.pofile(str(CHINESE))
    translated = {e.msgid for e in catalogue if e.translated() and not e.obsolete}
    assert messages_in_code() - translated == set()


def test_catalogue_has_nothing_else() -> None:
    catalogue = polib.pofile(str(CHINESE))
    assert {e.msgid for e in catalogue if not e.obsolete} - messages_in_code() == set()
    assert not catalogue.fuzzy_entries()


def fault_of(english: str, plural: str, chinese: str) -> str:
    """Return what is wrong with a translation."""
    wanted = set(PLACEHOLDER.findall(english)) | set(PLACEHOLDER.findall(plural))
    if set(PLACEHOLDER.findall(chinese)) != wanted:
        return f"{english!r}: other placeholders"
    if re.search(r"[㐀-鿿][,;?!]", chinese):
        return f"{english!r}: Chinese sentences take full-width marks"
    if not SAME_IN_BOTH.fullmatch(english) and not re.search(r"[㐀-鿿]", chinese):
        return f"{english!r}: not translated"
    return ""


def test_translations_are_well_formed() -> None:
    faults = [
        fault_of(entry.msgid, entry.msgid_plural or "", text)
        for entry in polib.pofile(str(CHINESE))
        for text in list(entry.msgstr_plural.values()) or [entry.msgstr]
    ]
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize(
    ("english", "chinese"), [("%(name)s is gone", "没有了"), ("Wait", "等,等"), ("Wait", "Wait")]
)
def test_what_is_not_well_formed(english: str, chinese: str) -> None:
    assert fault_of(english, "", chinese)


def test_compiled_catalogue_loads() -> None:
    data = polib.pofile(str(CHINESE)).to_binary()
    from gettext import GNUTranslations

    assert GNUTranslations(BytesIO(data)).gettext("Sign in") != "Sign in"
