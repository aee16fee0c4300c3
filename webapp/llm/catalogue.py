"""The models that are offered, and the providers that answer for them, as the settings have it now.

A provider is kept as long as the settings it was made from hold, and made anew when they change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask_babel import gettext as _

from webapp.config import Settings
from webapp.llm.local import status, weights
from webapp.llm.providers import scripted, thinking
from webapp.llm.providers.contract import Provider
from webapp.llm.providers.local import LocalProvider
from webapp.llm.providers.openai_compatible import OpenAICompatibleProvider
from webapp.llm.providers.streaming import Patience
from webapp.llm.providers.zhipu import ZhipuProvider
from webapp.llm.rules import ModelInfo


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as it is shown, and its name with its provider."""

    info: ModelInfo
    model: str


def offers(settings: Settings) -> list[Offer]:
    """Return what is offered, in the order of the providers.

    Of a name that two providers have, the first one's is asked by it; the other's carries its provider before a
    colon.
    """
    found: dict[str, Offer] = {}
    for offer in _all(settings):
        info = offer.info
        name = f"{info.provider}:{info.name}" if info.name in found else info.name
        if name in found:
            continue
        if name != info.name:
            label = (
                f"{info.label} ({_host(settings) if info.provider == 'openai_compatible' else info.provider})"
            )
            info = ModelInfo(name, label, info.provider, info.thinking, info.hint, info.available)
        found[name] = Offer(info, offer.model)
    return list(found.values())


def label_of(name: str) -> str:
    """Return how a model is called on pages: Zhipu's as Zhipu writes them, all others by their names."""
    if name.startswith("glm-"):
        return "-".join(["GLM", *(part.capitalize() for part in name.split("-")[1:])])
    return name


def _all(settings: Settings) -> Iterator[Offer]:
    if settings.zhipuai_api_key.get_secret_value():
        for name in settings.zhipuai_models:
            yield _offer(name, "zhipu")
    if settings.openai_compatible_base_url:
        for name in settings.openai_compatible_models:
            yield _offer(name, "openai_compatible")
    if settings.local_model != "off":
        yield _local(settings)
    if settings.scripted_models:
        for name in scripted.SCRIPTS:
            info = ModelInfo(name, name, "scripted", thinking=name == "scripted-thinking")
            yield Offer(info, name)


def _offer(name: str, provider: str) -> Offer:
    return Offer(ModelInfo(name, label_of(name), provider, thinking=thinking.can_think(name)), name)


def _local(settings: Settings) -> Offer:
    name = weights.model_name(settings.local_model)
    state = status.status(settings)
    if not state.usable:
        hint = str(state.sentence)
    elif settings.local_model == "auto":
        hint = _("A tiny model that runs on this server, for a first look: often wrong, and English only.")
    else:
        hint = _("Runs on this server.")
    label = "SmolLM2 135M" if name == weights.MODEL else name
    return Offer(ModelInfo(name, label, "local", hint=hint, available=state.usable), name)


def _host(settings: Settings) -> str:
    return urlsplit(settings.openai_compatible_base_url).hostname or ""


class Providers:
    """The providers of one application."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, Provider]] = {}
        self._lock = threading.Lock()

    def get(self, name: str, settings: Settings) -> Provider:
        """Return the provider as the settings have it now."""
        make, made_from = _MAKERS[name], _made_from(name, settings)
        with self._lock:
            known = self._made.get(name)
            if known is None or known[0] != made_from:
                if known is not None:
                    known[1].close()
                known = self._made[name] = (made_from, make(settings))
        return known[1]


def takes(provider: str) -> frozenset[str]:
    """Return what can be asked of a provider's models beside messages."""
    return _TAKES[provider]


def patience_of(settings: Settings) -> Patience:
    """Return how long providers are waited for."""
    return Patience(
        settings.llm_connect_timeout_seconds,
        settings.llm_first_token_timeout_seconds,
        settings.llm_idle_timeout_seconds,
    )


def _zhipu(settings: Settings) -> Provider:
    return ZhipuProvider(
        settings.zhipuai_base_url,
        settings.zhipuai_api_key.get_secret_value(),
        patience_of(settings),
        allow_hosts=settings.llm_outbound_allow_hosts,
    )


def _openai_compatible(settings: Settings) -> Provider:
    return OpenAICompatibleProvider(
        settings.openai_compatible_base_url,
        settings.openai_compatible_api_key.get_secret_value(),
        patience_of(settings),
        allow_hosts=settings.llm_outbound_allow_hosts,
    )


def _scripted(_settings: Settings) -> Provider:
    return scripted.ScriptedProvider()


_MAKERS: Final[dict[str, Callable[[Settings], Provider]]] = {
    "zhipu": _zhipu,
    "openai_compatible": _openai_compatible,
    "local": lambda settings: LocalProvider(settings, patience_of(settings)),
    "scripted": _scripted,
}
_TAKES: Final = {
    "zhipu": ZhipuProvider.takes,
    "openai_compatible": OpenAICompatibleProvider.takes,
    "local": LocalProvider.takes,
    "scripted": scripted.ScriptedProvider.takes,
}
_NETWORK: Final = ("llm_outbound_allow_hosts",)
_SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "zhipu": ("zhipuai_base_url", "zhipuai_api_key", *_NETWORK),
    "openai_compatible": ("openai_compatible_base_url", "openai_compatible_api_key", *_NETWORK),
    "local": ("local_model", "instance_path"),
    "scripted": (),
}


def _made_from(name: str, settings: Settings) -> tuple[Any, ...]:
    return (patience_of(settings), *(getattr(settings, each) for each in _SETTINGS[name]))
