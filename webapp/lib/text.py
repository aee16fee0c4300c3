"""Small questions about a text for people: its initials, its short form, its language, its size in tokens."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Final, Literal

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA: Final = re.compile(r"[\u3041-\u30ff\uff66-\uff9f]")
_CJK: Final = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    r"\U00020000-\U0003ffff]"
)
_LATIN: Final = re.compile(r"[A-Za-z]")
_ENGLISH: Final = re.compile(
    r"\b(the|and|of|to|is|are|was|you|your|with|this|that|for|not|it|can|have|from|what|how)\b", re.IGNORECASE
)
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CODE: Final = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`|https?://\S+", re.DOTALL | re.MULTILINE)

_SAMPLE: Final = 4_000
_JOINER: Final = "\u200d"


def initials(name: str) -> str:
    """Return what stands in a person's avatar: the first letters of the first and last word, at most two.

    A name in Chinese, Japanese or Korean gives its first character; one without letters and digits a question mark.
    """
    words: list[str] = _WORD.findall(unicodedata.normalize("NFC", name))
    if not words:
        return "?"
    if _CJK.match(words[0]):
        return words[0][0]
    chosen = words[:1] if len(words) == 1 else [words[0], words[-1]]
    return "".join(word[0].upper()[:1] for word in chosen)


def shorten(text: str, limit: int) -> str:
    """Return the text on one line and in at most `limit` characters, cut between words and marked with “…”.

    Chinese and Japanese may be cut anywhere; a word that alone takes more than half of the limit is cut too.
    """
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    end = limit - 1
    if end > 0 and _in_word(text, end):
        space = text.rfind(" ", 0, end)
        end = space if space > limit // 2 else end
    while end > 0 and (_extends(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[: max(end, 0)].rstrip(" ,.;:-–—，。；：、") + "…"


def language_of(text: str) -> Literal["zh-CN", "en", "ja"] | None:
    """Return the language for a `lang` attribute, or None where a guess could be wrong.

    Looks at the beginning only and not at code. Han characters count against Latin words, kana tell Japanese; English is
    claimed only where its commonest words stand, since other languages share its letters.
    """
    sample = _CODE.sub(" ", text[:_SAMPLE])
    han, kana = len(_HAN.findall(sample)), len(_KANA.findall(sample))
    latin_words = len(_LATIN.findall(sample)) / 5
    if han + kana > latin_words / 2:
        return "ja" if kana * 10 > han + kana else "zh-CN"
    common = _ENGLISH.findall(sample)
    letters = sum(map(str.isalpha, sample))
    if letters and latin_words * 5 > letters * 0.9 and len(common) * 12 >= latin_words and common:
        return "en"
    return None


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a model counts for the text, for where the provider does not say.

    Assumes 0.6 tokens for a Chinese, Japanese or Korean character and 1 for 4 other characters: the rules of thumb
    that DeepSeek's and OpenAI's documentation give for their own tokenizers. Expect to be off by a quarter.
    """
    cjk = len(_CJK.findall(text))
    return math.ceil(cjk * 0.6 + (len(text) - cjk) / 4)


def without_lone_surrogates(text: str) -> str:
    """Return the text with the two halves of a surrogate pair joined, and a half without the other replaced.

    JSON may carry such halves as escapes, and a model's tokens may end between them; no database takes them.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _in_word(text: str, position: int) -> bool:
    """Tell whether a cut before the position would divide a word of a script that has spaces."""
    return all(_WORD.match(each) and not _CJK.match(each) for each in text[position - 1 : position + 1])


def _extends(character: str) -> bool:
    """Tell whether the character belongs to the one before it: an accent, a variation or skin colour, a joiner."""
    return (
        character == _JOINER
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
