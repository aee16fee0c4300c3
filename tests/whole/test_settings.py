"""`.env.example` tells the truth about the settings, and faults are told in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webapp.config import ROOT, Settings, SettingsError, load_settings


def example_lines() -> dict[str, tuple[str, str]]:
    """Return name -> (default, meaning) from `# meaning` lines followed by `# NAME=default`."""
    found: dict[str, tuple[str, str]] = {}
    meaning = ""
    for line in (ROOT / ".env.example").read_text().splitlines():
        if match := re.fullmatch(r"#([A-Z][A-Z0-9_]*)=(.*)", line):
            found[match[1]] = (match[2], meaning)
        elif line.startswith("# "):
            meaning = line[2:]
    return found


def env_name(field: str) -> str:
    return "APP_PROFILE" if field == "profile" else field.upper()


def test_example_lists_every_setting_with_its_default_and_meaning() -> None:
    lines = example_lines()
    assert set(lines) == {env_name(name) for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default, meaning = lines[env_name(name)]
        assert meaning == field.description, name
        assert default == shown_default(name, field.default), name


def shown_default(name: str, default: object) -> str:
    if name == "instance_path":
        return "instance"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(default)
    get_secret = getattr(default, "get_secret_value", None)
    return get_secret() if get_secret else str(default)


def test_documentation_names_every_setting() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    missing = [env_name(name) for name in Settings.model_fields if f"`{env_name(name)}`" not in text]
    assert missing == []


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(profile="production", instance_path=tmp_path, port=0, zhipuai_api_key="no-dot")
    text = str(caught.value)
    for name in ("PORT", "SECRET_KEY", "PUBLIC_URL", "ZHIPUAI_API_KEY"):
        assert name in text


@pytest.mark.parametrize("secret", ["", "short", "changeme" * 8, "secret-key-that-is-long-enough-but-weak"])
def test_production_refuses_a_weak_secret(tmp_path: Path, secret: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        load_settings(
            profile="production",
            instance_path=tmp_path,
            secret_key=secret,
            public_url="https://tools.example.com",
            mail_server="smtp.example.com",
        )


def test_local_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = load_settings(profile="test", instance_path=tmp_path).secret_key.get_secret_value()
    assert len(first) >= 32
    assert load_settings(profile="test", instance_path=tmp_path).secret_key.get_secret_value() == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_production_hides_nothing_behind_defaults(tmp_path: Path) -> None:
    settings = load_settings(
        profile="production",
        instance_path=tmp_path,
        secret_key="k9" * 24,
        public_url="https://tools.example.com",
        mail_server="smtp.example.com",
    )
    assert settings.https
    assert settings.hosts == ["tools.example.com"]
    assert not settings.shows_mail
