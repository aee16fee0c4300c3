"""Initials, short forms, languages and sizes of texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.lib import text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lin Yue", "LY"),
        ("anna maria olsson", "AO"),
        ("Madonna", "M"),
        ("o'brien", "O"),
        ("émile zola", "ÉZ"),
        ("e\u0301mile", "É"),
        ("lin.yue", "LY"),
        ("林悦", "林"),
        ("欧阳 Lin", "欧"),
        ("さくら", "さ"),
        ("김민준", "김"),
        ("7of9", "7"),
        ("  Jo   P ", "JP"),
        ("ßeta", "S"),
        ("", "?"),
        ("🙂", "?"),
        ("<b>", "B"),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert text.initials(name) == expected


@given(st.text())
def test_initials_are_one_or_two_characters(name: str) -> None:
    assert 1 <= len(text.initials(name)) <= 2


@pytest.mark.parametrize(
    ("source", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("exactly 10", 10, "exactly 10"),
        ("Hello world out there", 13, "Hello world…"),
        ("Hello, world out there", 8, "Hello…"),
        ("two\n lines\t here", 20, "two lines here"),
        ("报错的原因是事务先读后写", 6, "报错的原因…"),
        ("报错，原因", 4, "报错…"),
        ("a" * 20, 5, "aaaa…"),
        ("family 👨‍👩‍👧 name", 10, "family…"),
        ("cafe\u0301 noir", 5, "caf…"),
        ("abc", 1, "…"),
    ],
)
def test_shorten(source: str, limit: int, expected: str) -> None:
    assert text.shorten(source, limit) == expected


@given(st.text(), st.integers(1, 40))
def test_short_texts_fit(source: str, limit: int) -> None:
    short = text.shorten(source, limit)
    assert len(short) <= limit
    assert "\n" not in short


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "报错的原因是事务先读后写：在 WAL 模式下，SQLite 会立即返回 `SQLITE_BUSY`，不会等待 5 秒。",
            "zh-CN",
        ),
        ("# API\n```python\nfor the in of: print('the and of')\n```\n使用方法如下", "zh-CN"),
        ("これはペンです。", "ja"),
        ("東京都は日本の首都です", "ja"),
        ("The word 你好 means hello to you.", "en"),
        ("Yes, if reads dominate. Open a second engine: its transactions never ask for the lock.", "en"),
        ("Bonjour, comment allez-vous aujourd'hui ?", None),
        ("Das ist ein kurzer Satz in der Sprache der Deutschen", None),
        ("Привет, как дела", None),
        ("안녕하세요", None),
        ("12345", None),
        ("", None),
    ],
)
def test_language(source: str, expected: str | None) -> None:
    assert text.language_of(source) == expected


def test_tokens_count_han_and_latin_apart() -> None:
    assert text.estimate_tokens("") == 0
    assert text.estimate_tokens("a") == 1
    assert text.estimate_tokens("a" * 400) == 100
    assert text.estimate_tokens("写" * 100) == 60
    assert text.estimate_tokens("写" * 100 + "a" * 400) == 160


@given(st.text(), st.text())
def test_more_text_is_not_fewer_tokens(one: str, other: str) -> None:
    assert text.estimate_tokens(one + other) >= text.estimate_tokens(one)
