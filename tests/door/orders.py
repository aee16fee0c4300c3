"""The models of these tests: what the fake upstream is to do stands in the name."""

from __future__ import annotations

from typing import Final

ORDERS: Final = {
    "plain": "fake?tokens=20&key=plain",
    "parts": "fake?tokens=2&key=parts",
    "reasoning": "fake?tokens=5&reasoning=3&key=reasoning",
    "paced": "fake?tokens=40&rate=40&key=paced",
    "unreported": "fake?tokens=9&usage=0&key=unreported",
    "long": "fake?tokens=5000&rate=20&key=long",
    "slow": "fake?tokens=5000&rate=20&key=slow",
    "silent": "fake?tokens=3&first=1.5&key=silent",
    "tool": "fake?call=weather&finish=tool_calls&key=tool",
    "cut": "fake?finish=length&key=cut",
    "filtered": "fake?tokens=3&finish=content_filter&key=filtered",
    "wrong key": "fake?status=401&mode=echo_key&key=wrongkey",
    "busy": "fake?status=429&retry_after=77&key=busy",
    "broken": "fake?status=500&key=broken",
    "refused": "fake?status=400&key=refused",
    "hanging": "fake?mode=hang&key=hanging",
    "stalled": "fake?mode=stall&after=4&key=stalled",
    "truncated": "fake?mode=cut&after=4&key=truncated",
    "unfinished": "fake?tokens=4&finish=none&key=unfinished",
    "garbage": "fake?mode=badjson&after=4&key=garbage",
    "many": "fake?tokens=5000&rate=20&key=many",
    "resumed": "fake?tokens=60&rate=30&key=resumed",
    "left alone": "fake?tokens=60&rate=60&key=alone",
    "stopped": "fake?tokens=5000&rate=20&key=stopped",
    "revoked": "fake?tokens=5000&rate=20&key=revoked",
    "withdrawn": "fake?tokens=5000&rate=20&key=withdrawn",
    "killed": "fake?tokens=5000&rate=20&key=killed",
}
