"""Trying out a provider: one short question, and whether anything came back (requirement M6).

All failures are told in the same words, whatever stood behind the address: the button is no means to look around in
a network. What exactly went wrong stands in the log.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask_babel import gettext as _

from webapp.audit import service as audit
from webapp.audit.rules import Event
from webapp.config import Settings, current_settings
from webapp.database import db
from webapp.errors import Invalid
from webapp.llm import catalogue, service
from webapp.llm.errors import Aborted, ProviderError
from webapp.llm.rules import ChatMessage, ChatRequest

log = logging.getLogger(__name__)

SECONDS: Final = 10.0  # of the whole try, the connection included
MAX_TOKENS: Final = 16
_KEYS: Final = {"zhipu": "zhipuai_api_key", "openai_compatible": "openai_compatible_api_key"}
_ADDRESSES: Final = {"zhipu": "zhipuai_base_url", "openai_compatible": "openai_compatible_base_url"}
NAMES: Final = {"zhipu": "Zhipu", "openai_compatible": "OpenAI-compatible", "local": "SmolLM2"}


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider as the settings have it: where it is, whether there is a key, and what it offers."""

    name: str
    label: str
    host: str
    has_key: bool
    models: tuple[str, ...]

    @property
    def is_set(self) -> bool:
        """Whether it can be asked."""
        return bool(self.models)


def providers() -> list[ProviderState]:
    """Return the providers there can be, and how the settings have them."""
    settings = current_settings()
    offered: dict[str, list[str]] = {}
    for offer in catalogue.offers(settings):
        if offer.info.available:
            offered.setdefault(offer.info.provider, []).append(offer.info.name)
    return [
        ProviderState(
            name=name,
            label=str(_("Embedded model")) if name == "local" else label,
            host=_host(settings, name),
            has_key=name != "local" and bool(getattr(settings, _KEYS[name]).get_secret_value()),
            models=tuple(offered.get(name, ())),
        )
        for name, label in NAMES.items()
    ]


def try_out(actor: Any, model: str) -> bool:
    """Ask a model something short, and tell whether it answered within ten seconds; raises Invalid for no model.

    Holds no connection of the database while it waits. The try is recorded.
    """
    provider = next((each for each in providers() if model in each.models), None)
    if provider is None:
        raise Invalid(_("This model is not offered any more."), field="model")
    works = _answers(model)
    after = {"model": model, "works": works}
    audit.record_alone(
        Event.PROVIDER_TESTED,
        actor=actor,
        target=audit.Party("provider", provider.name, provider.label),
        after=after,
    )
    return works


def _answers(model: str) -> bool:
    """Read no further than to the first piece of an answer."""
    request = ChatRequest(model, (ChatMessage("user", "Say hello."),), max_tokens=MAX_TOKENS)
    db.session.rollback()  # gives the connection back
    stream = service.open_stream(request)
    end = threading.Timer(SECONDS, stream.abort)
    end.daemon = True
    end.start()
    try:
        for deltas in stream:
            if any(delta.text or delta.reasoning or delta.finish_reason for delta in deltas):
                return True
    except (ProviderError, Aborted) as error:
        log.warning("provider did not pass its test", extra={"model": model, "error": str(error)})
    finally:
        end.cancel()
        stream.close()
    return False


def _host(settings: Settings, name: str) -> str:
    return (
        urlsplit(getattr(settings, _ADDRESSES[name])).netloc.rpartition("@")[2] if name in _ADDRESSES else ""
    )
