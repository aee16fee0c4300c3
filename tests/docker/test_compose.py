"""docker/compose.yaml: well-formed, complete, and safe as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docker import compose
from webapp.config import ROOT, Settings

FOLDER = compose.FOLDER
NAMES = sorted(compose.services())
# Of the compose specification: what this file uses. A misspelt word is an error, as it is for Compose.
OF_THE_FILE = {"name", "services", "networks", "volumes", "secrets"}
OF_A_SERVICE = {
    *(
        "image",
        "build",
        "user",
        "init",
        "command",
        "entrypoint",
        "environment",
        "env_file",
        "secrets",
        "volumes",
    ),
    *("tmpfs", "ports", "networks", "depends_on", "healthcheck", "stop_grace_period", "ulimits", "deploy"),
    *("profiles", "restart", "read_only", "cap_drop", "security_opt", "logging"),
}
OF_A_CHECK = {"test", "interval", "timeout", "retries", "start_period", "disable"}
OUTSIDE = {"docker", "secrets"}


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each service in turn."""
    return compose.services()[request.param]


def test_only_words_of_the_specification() -> None:
    assert {word for word in compose.raw() if not word.startswith("x-")} == OF_THE_FILE
    for name, about in compose.services().items():
        assert set(about) <= OF_A_SERVICE, name
        assert set(about.get("healthcheck", {})) <= OF_A_CHECK, name


def test_what_is_named_is_declared(service: dict[str, Any]) -> None:
    whole = compose.raw()
    assert set(service["networks"]) <= set(whole["networks"])
    assert set(service.get("secrets", ())) <= set(whole["secrets"])
    for name, condition in service.get("depends_on", {}).items():
        other = compose.services()[name]
        if condition["condition"] == "service_healthy":
            assert other["healthcheck"]["test"]
        else:
            assert (condition["condition"], other["restart"]) == ("service_completed_successfully", "no")
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (FOLDER / source).exists() or source.startswith("./secrets/")
            assert volume.endswith(":ro")
        else:
            assert source in whole["volumes"]


def test_every_service_is_hardened(service: dict[str, Any]) -> None:
    """S4: without root, without rights, on a root file system nobody can write to."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert group.isdigit()
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"} & set(service)
    assert "docker.sock" not in str(service)
    assert service.get("healthcheck") or service.get("restart") == "no"


def test_only_the_proxy_can_be_reached() -> None:
    published = {name for name, about in compose.services().items() if "ports" in about}
    assert published == {"proxy", "grafana"}
    assert all(port.startswith("127.0.0.1:") for port in compose.services()["grafana"]["ports"])
    assert compose.raw()["networks"]["data"] == {"internal": True}
    for name in ("mysql", "redis", "prometheus"):
        assert compose.services()[name]["networks"] == ["data"]
    assert "data" not in compose.services()["proxy"]["networks"]


def test_nothing_has_a_default_password() -> None:
    """S4: each secret is a file that has to be made, and what has to be said has no default."""
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    assert not re.findall(r"\$\{\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*", text)
    for name, about in compose.services().items():
        for variable, value in about.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|KEY|_URL_FILE", variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.removeprefix("/run/secrets/") in about["secrets"]
    assert all(set(each) == {"file"} for each in compose.raw()["secrets"].values())
    with pytest.raises(compose.Missing, match="PUBLIC_URL"):
        compose.fill(compose.services(), {})


def test_the_program_s_settings_exist() -> None:
    known = {name.upper() for name in Settings.model_fields} | {
        f"{name.upper()}_FILE" for name in Settings.model_fields
    }
    for name, about in compose.services().items():
        if about.get("build"):
            assert set(about["environment"]) <= known, name


def test_images_are_named_with_a_version() -> None:
    for name, about in compose.services().items():
        image = compose.fill(about["image"], {"AGENT_TOOLS_VERSION": "1"})
        assert ":" in image, name
        assert not image.endswith(":latest"), name


def test_every_service_ends_in_time() -> None:
    """FT-12: Docker kills what needs longer; gunicorn gives open streams 25 seconds."""
    config = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    graceful = int(re.search(r"^graceful_timeout = .*?(\d+)$", config, re.MULTILINE)[1])  # type: ignore[index]
    assert int(compose.services()["web"]["stop_grace_period"].removesuffix("s")) > graceful + 5


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.sh")), ids=lambda path: path.name)
def test_shell_can_read_the_scripts(path: Path) -> None:
    subprocess.run(["sh", "-n", str(path)], check=True)
    assert re.search(r"^set -eu$", path.read_text(encoding="utf-8"), re.MULTILINE)
