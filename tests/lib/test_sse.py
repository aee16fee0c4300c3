"""Framing of server-sent events, read back with the EventSource grammar."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.lib import sse


@dataclass
class Stream:
    """What a browser makes of a byte stream: HTML, section 9.2.6 "Interpreting an event stream"."""

    events: list[tuple[str, str, str]] = field(default_factory=list)  # type, data, last event id
    last_id: str = ""
    retry: int | None = None

    def read(self, raw: bytes) -> Stream:
        text = raw.decode("utf-8").removeprefix("\ufeff")
        kind, data, id_buffer = "", "", self.last_id
        lines = re.split(r"\r\n|\r|\n", text)
        for line in lines[:-1]:
            if line == "":
                self.last_id = id_buffer
                if data:
                    self.events.append((kind or "message", data.removesuffix("\n"), self.last_id))
                kind, data = "", ""
                continue
            if line.startswith(":"):
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "data":
                data += value + "\n"
            elif name == "id" and "\0" not in value:
                id_buffer = value
            elif name == "retry" and value.isascii() and value.isdigit():
                self.retry = int(value)
        return self


def test_all_fields_arrive() -> None:
    stream = Stream().read(sse.frame("delta", '{"t": "hi"}', id="12.3", retry_ms=500))
    assert stream.events == [("delta", '{"t": "hi"}', "12.3")]
    assert stream.retry == 500


def test_data_alone_is_a_message_and_keeps_the_last_id() -> None:
    stream = Stream().read(sse.frame("a", "1", id="7") + sse.frame(None, "2"))
    assert stream.events == [("a", "1", "7"), ("message", "2", "7")]


def test_an_empty_id_forgets_the_last() -> None:
    stream = Stream().read(sse.frame("a", "1", id="7") + sse.frame("a", "2", id=""))
    assert stream.last_id == ""


HOSTILE = [
    "x\nevent: forged\nid: 99\ndata: y",
    "x\r\n\r\nevent: forged\r\ndata: y",
    "x\revent: forged\rid: 99",
    "x\n\n\n",
    "\n",
    "\r\r\n\n\r",
    " leading space",
    ": like a comment",
    "a\0b",
    "a\u2028event: forged\u2029id: 9\u0085retry: 1\x0b\x0c",
    "\ufeffdata: x",
    "报错 🙂",
]


@pytest.mark.parametrize("data", HOSTILE)
def test_content_cannot_forge_fields(data: str) -> None:
    stream = Stream().read(sse.frame("delta", data, id="5") + sse.frame("done", "end"))
    assert stream.events == [("delta", re.sub(r"\r\n|\r", "\n", data), "5"), ("done", "end", "5")]
    assert stream.retry is None


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(bool))
def test_any_text_arrives(data: str) -> None:
    expected = re.sub(r"\r\n|\r", "\n", data)
    assert Stream().read(sse.frame("delta", data, id="1")).events == [("delta", expected, "1")]


@given(st.text(), st.booleans())
def test_any_json_arrives_exactly(text: str, ascii_only: bool) -> None:
    has_lone_surrogate = any("\ud800" <= character <= "\udfff" for character in text)
    payload = json.dumps({"t": text}, ensure_ascii=ascii_only or has_lone_surrogate)
    ((_, data, _),) = Stream().read(sse.frame("delta", payload)).events
    assert json.loads(data) == {"t": text}


def test_a_lone_surrogate_does_not_break_the_stream() -> None:
    assert Stream().read(sse.frame("delta", "a\ud83d")).events == [("delta", "a?", "")]


@pytest.mark.parametrize("event", ["", "a\nb", "a b", "a:b", "é", "a" * 65, "a\r", "a\0"])
def test_bad_event_names_are_refused(event: str) -> None:
    with pytest.raises(ValueError, match="name"):
        sse.frame(event, "x")


@pytest.mark.parametrize("id_", ["1\n2", "1\r", "\0", "a b", "é", "1" * 129, "1\u2028"])
def test_bad_ids_are_refused(id_: str) -> None:
    with pytest.raises(ValueError, match="id"):
        sse.frame("a", "x", id=id_)


def test_a_negative_wait_is_refused() -> None:
    with pytest.raises(ValueError, match="wait"):
        sse.frame("a", "x", retry_ms=-1)


@pytest.mark.parametrize("text", ["", "beat", *HOSTILE])
def test_comments_say_nothing(text: str) -> None:
    stream = Stream().read(sse.comment(text) + sse.frame("a", "1"))
    assert stream.events == [("a", "1", "")]
    assert stream.retry is None
