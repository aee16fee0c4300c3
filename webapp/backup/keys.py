"""The keys a backup needs: told by their prints, and carried only where somebody asks for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import current_app
from pydantic import SecretStr

from webapp.config import deployment_settings, with_own_secrets
from webapp.database.sealed import keys_in_force

FOLDER: Final = "keys"
OF_SECRETS: Final = "encryption_keys"
OF_COOKIES: Final = "secret_key"
OF_AUDIT: Final = "audit_key"


@dataclass(frozen=True, slots=True)
class Prints:
    """Prints of the keys a backup was made under; a print does not tell the key."""

    secrets: tuple[str, ...] = ()  # any of them may have sealed a secret
    audit: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it for the header."""
        return {"secrets": list(self.secrets), "audit": self.audit}

    @classmethod
    def from_json(cls, value: Any) -> Prints:
        """Read it from the header."""
        return cls(tuple(str(each) for each in value["secrets"]), str(value["audit"]))


def in_force() -> Prints:
    """Return the prints of this deployment's keys."""
    return Prints(tuple(_print(key) for key in keys_in_force()), _print(_audit_key()))


def missing(needed: Prints) -> list[str]:
    """Return, in words, which keys of a backup this deployment has not."""
    ours, lines = in_force(), []
    lost = [each for each in needed.secrets if each not in ours.secrets]
    if lost:
        lines.append(
            f"Secrets in the backup are sealed with keys this deployment has not ({', '.join(lost)}): provider keys and "
            "second factors cannot be read until they are added to ENCRYPTION_KEYS, or to instance/encryption_keys."
        )
    if needed.audit != ours.audit:
        lines.append(
            "The audit log in the backup is sealed with another key: set AUDIT_KEY to the AUDIT_KEY, or else the "
            "SECRET_KEY, of the deployment it comes from, before anything is started."
        )
    return lines


def to_carry() -> dict[str, str]:
    """Return the keys as they go into a backup that carries them."""
    settings = deployment_settings()
    return {
        OF_SECRETS: ",".join(keys_in_force()),
        OF_COOKIES: settings.secret_key.get_secret_value(),
        OF_AUDIT: settings.audit_key.get_secret_value(),
    }


def adopt(carried: dict[str, str]) -> list[str]:
    """Put keys from a backup into the instance folder and use them from now on; old ones are kept beside them.

    Returns what remains to be done by hand, in words: keys that the environment sets, it goes on setting.
    """
    settings, told = deployment_settings(), []
    update: dict[str, Any] = {}
    for name in (OF_SECRETS, OF_COOKIES):
        if carried.get(name):
            _store(settings.instance_path / name, carried[name])
            update[name] = SecretStr("")
    if carried.get(OF_AUDIT):
        told.append(
            "The deployment had an AUDIT_KEY of its own: set it here too. It is in the file keys-audit_key."
        )
        _store(settings.instance_path / "keys-audit_key", carried[OF_AUDIT])
        update[OF_AUDIT] = SecretStr(carried[OF_AUDIT])
    current_app.extensions["settings"] = with_own_secrets(settings.model_copy(update=update))
    told.append(
        "The keys are in the instance folder (encryption_keys, secret_key). Where ENCRYPTION_KEYS or SECRET_KEY are set "
        "in the environment, those win: take them out, or set them to the same."
    )
    return told


def _store(path: Path, text: str) -> None:
    if path.exists() and path.read_text().strip() != text:
        path.replace(path.with_name(f"{path.name}.before-restore"))
    draft = path.with_name(f"{path.name}.part")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _audit_key() -> str:
    settings = deployment_settings()
    return settings.audit_key.get_secret_value() or settings.secret_key.get_secret_value()


def _print(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=6, person=b"backup-key").hexdigest()
