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


def test_a_setting_may_be_in_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("secret_key", "k9" * 24 + "\n"), ("hosts", "a.example, b.example\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / ".env").write_text(f"TRUSTED_HOSTS_FILE={tmp_path / 'hosts'}\nINSTANCE_PATH={tmp_path}\n")
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "secret_key"))
    for name in ("SECRET_KEY", "TRUSTED_HOSTS", "APP_PROFILE", "INSTANCE_PATH"):
        monkeypatch.delenv(name, raising=False)
    settings = load_settings()
    assert settings.secret_key.get_secret_value() == "k9" * 24
    assert settings.trusted_hosts == ("a.example", "b.example")


def test_faults_of_such_files_are_named_together_and_show_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "DATABASE_URL": b" \n",
        "MAIL_PASSWORD": b"\xff\xfe",
        "AUDIT_KEY": b"x" * 70_000,
        "ZHIPUAI_API_KEY": b"\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1/0")
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "DATABASE_URL"))
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError) as caught:
        load_settings(profile="test", instance_path=tmp_path)
    told = str(caught.value)
    assert f"DATABASE_URL_FILE: {tmp_path / 'DATABASE_URL'} cannot be used: it is empty." in told
    assert f"SECRET_KEY_FILE: {tmp_path / 'absent'} cannot be used: No such file" in told
    for words in (
        "MAIL_PASSWORD_FILE",
        "not text",
        "DATABASE_URL_FILE",
        "too large",
        "REDIS_URL is set as well",
    ):
        assert words in told
    assert "xxx" not in told
    assert "ZHIPUAI" not in told  # a secret that is not set


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
