"""What answers cost, by the prices that the operator states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from webapp.llm.rules import Usage


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs per million tokens, in the deployment's currency."""

    asked: Decimal
    written: Decimal

    def cost_micros(self, usage: Usage) -> int:
        """Return the cost in millionths of the currency."""
        return round(usage.prompt_tokens * self.asked + usage.completion_tokens * self.written)


def read(entries: Iterable[str]) -> dict[str, Price]:
    """Return the price of each model from entries `model=input/output`, which the settings have checked."""
    prices: dict[str, Price] = {}
    for entry in entries:
        model, _, amounts = entry.rpartition("=")
        asked, _, written = amounts.partition("/")
        prices[model.strip()] = Price(Decimal(asked.strip()), Decimal(written.strip()))
    return prices
