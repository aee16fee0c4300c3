"""How the embedded model stands, in a sentence for pages and checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.config import Settings
from webapp.llm.local import endpoint, weights

StateName = Literal["off", "stopped"] | endpoint.State


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """The state, and the sentence that explains it in the reader's language."""

    state: StateName
    sentence: LazyString

    @property
    def usable(self) -> bool:
        """Whether answers can be asked for now."""
        return self.state == "ready"


SENTENCES: Final[dict[StateName, LazyString]] = {
    "off": _l("The embedded model is turned off by the setting LOCAL_MODEL."),
    "stopped": _l("The embedded model is not running. It starts together with the server."),
    "starting": _l("The embedded model is starting. Try again in a few seconds."),
    "ready": _l("The embedded model is running."),
    "failed": _l(
        "The embedded model keeps failing. The server's log says why; it is tried again every minute."
    ),
    "no_engine": _l(
        "The embedded model's engine is not installed. Install it with “make model”, then start again."
    ),
    "no_libgomp": _l(
        "The embedded model needs the system library libgomp. Install it with “sudo apt-get install libgomp1” "
        "(Debian, Ubuntu), “sudo dnf install libgomp” (Fedora, RHEL) or “sudo apk add libgomp” (Alpine), then "
        "start again."
    ),
    "no_weights": _l("The embedded model's file is missing. Fetch it with “make model”, then start again."),
    "bad_weights": _l(
        "The embedded model's file is damaged and was not loaded. Fetch it anew with “make model”, then start again."
    ),
}


def status(settings: Settings) -> LocalStatus:
    """Return how the embedded model of this deployment stands."""
    state = _state(settings)
    return LocalStatus(state, SENTENCES[state])


def _state(settings: Settings) -> StateName:
    if settings.local_model == "off":
        return "off"
    record = endpoint.read(settings.instance_path)
    if record is not None:
        return record.state
    return "stopped" if weights.find(settings.local_model, settings.instance_path) else "no_weights"
