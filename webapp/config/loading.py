"""Reading the settings from the environment and `.env`, with all faults told together, in words.

This module is the only reader of the environment.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from dotenv import dotenv_values
from flask import current_app
from pydantic import SecretStr, ValidationError

from webapp.config.settings import ROOT, Settings

KEYS_FILE: Final = "encryption_keys"
FILE_SUFFIX: Final = "_FILE"  # of the name of a variable whose value is the path of a file with the setting
MOST_FILE_BYTES: Final = 65_536


class SettingsError(Exception):
    """The settings have faults; the text lists every one with its name and the fix."""


def load_settings(**overrides: Any) -> Settings:
    """Read the settings, make the local secret if there is none, and raise SettingsError naming every fault."""
    dotenv = None if "profile" in overrides else Path(os.environ.get("ENV_FILE", ROOT / ".env"))
    faults: list[str] = []
    overrides = _from_files(dotenv, faults) | overrides
    try:
        settings = Settings(_env_file=dotenv, **overrides)
    except ValidationError as error:
        faults += _in_words(error)
        faults += _further_faults(error, dotenv, overrides)
    if faults:
        raise SettingsError("The settings are not right:\n" + "\n".join(f"  - {f}" for f in faults)) from None
    return with_own_secrets(settings)


def with_own_secrets(settings: Settings) -> Settings:
    """Return the settings with the secrets of the instance folder where none are set; makes them the first time."""
    made: dict[str, SecretStr] = {}
    if not settings.secret_key.get_secret_value():
        made["secret_key"] = SecretStr(_own_file(settings.instance_path, "secret_key", _new_secret))
    keys_file = settings.keys_file
    if not settings.encryption_keys.get_secret_value():
        made["encryption_keys"] = SecretStr(_own_file(settings.instance_path, KEYS_FILE, new_key))
        keys_file = settings.instance_path / KEYS_FILE
    whole = settings.model_copy(update=made)
    whole._keys_file = keys_file  # noqa: SLF001
    return whole


def share_numbers(folder: Path) -> None:
    """Tell the Prometheus client where the processes of this deployment count together; it looks nowhere else."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def current_settings() -> Settings:
    """Return the settings in force, with what administrators changed at run time."""
    source: Callable[[], Settings] | None = current_app.extensions.get("settings_source")
    return deployment_settings() if source is None else source()


def deployment_settings() -> Settings:
    """Return the settings as the environment has them."""
    return cast("Settings", current_app.extensions["settings"])


def _from_files(dotenv: Path | None, faults: list[str]) -> dict[str, Any]:
    """Return the settings that are in files of their own, such as SECRET_KEY_FILE=/run/secrets/secret_key.

    Adds what is wrong with these files to the faults.
    """
    given: dict[str, str | None] = {**(dotenv_values(dotenv) if dotenv is not None else {}), **os.environ}
    found: dict[str, Any] = {}
    for field, about in Settings.model_fields.items():
        name = _env_name(field)
        path = given.get(name + FILE_SUFFIX)
        if path and given.get(name):
            faults.append(f"{name + FILE_SUFFIX}: {name} is set as well; keep one of them.")
        elif path:
            try:
                found[field] = _content(Path(path), may_be_empty=about.annotation is SecretStr)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                faults.append(f"{name + FILE_SUFFIX}: {path} cannot be used: {why}.")
    return found


def _content(path: Path, *, may_be_empty: bool) -> str:
    """Return the text of a file without the white space around it; raises OSError, and ValueError with the reason.

    An empty file may stand for a secret that is not set, but not for an address: that of a database would be another one.
    """
    with path.open("rb") as file:
        data = file.read(MOST_FILE_BYTES + 1)
    if len(data) > MOST_FILE_BYTES:
        raise ValueError("it is too large for a setting")
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise ValueError("it is not text") from None
    if not (text or may_be_empty):
        raise ValueError("it is empty")
    return text


def _in_words(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for fault in error.errors():
        if fault["loc"]:
            lines.append(f"{_env_name(str(fault['loc'][0]))}: {fault['msg']}.")
        else:
            lines += str(fault["ctx"]["error"]).splitlines()
    return lines


def _further_faults(error: ValidationError, dotenv: Path | None, overrides: dict[str, Any]) -> list[str]:
    """Return the faults that show only once the single values are right: those are judged with the defaults."""
    wrong = {str(fault["loc"][0]).lower() for fault in error.errors() if fault["loc"]}
    if not wrong:
        return []
    names = {"profile" if name == "app_profile" else name for name in wrong}
    defaults = {name: Settings.model_fields[name].default for name in names}
    try:
        Settings(_env_file=dotenv, **(overrides | defaults))
    except ValidationError as further:
        return _in_words(further)
    return []


def _env_name(field: str) -> str:
    return "APP_PROFILE" if field == "profile" else field.upper()


def _own_file(instance_path: Path, name: str, make: Callable[[], str]) -> str:
    """Return a secret of this instance, made once; processes that start together agree on one."""
    path = instance_path / name
    instance_path.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # fails where another process was first; theirs is then the secret
        draft.unlink()
    return path.read_text().strip()


def _new_secret() -> str:
    return secrets.token_urlsafe(48)


def new_key() -> str:
    """Return a random key for secrets in the database."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
