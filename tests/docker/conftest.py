"""The image, built once; a program behind the proxy."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat.test_faults import make_folder
from tests.docker.deployment import nginx
from tests.docker.image import Image, build
from tests.docker.sites import HEADER_SECONDS, Site, accepts
from tests.processes import wait_for
from tests.servers import serving
from tests.services import free_port, require


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile makes, as a folder; takes a minute."""
    return build(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        require("openssl"),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
    folder.chmod(0o755)  # the proxy is somebody else
    for path in folder.iterdir():
        path.chmod(0o444)
    return folder


@pytest.fixture(scope="session")
def site(tls: Path, template_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The program with one worker behind the proxy."""
    instance = make_folder(tmp_path_factory.mktemp("site") / "instance", template_database)
    https_port, http_port = free_port(), free_port()
    url = f"https://localhost:{https_port}"
    with (
        serving(instance, PUBLIC_URL=url, PROXY_COUNT="1", MAX_STREAMS_PER_USER="50") as server,
        nginx(
            tls,
            instance / "nginx.log",
            PUBLIC_URL=url,
            UPSTREAMS=server.url.removeprefix("http://"),
            HTTP_LISTEN=f"127.0.0.1:{http_port}",
            HTTPS_LISTEN=f"127.0.0.1:{https_port}",
            HEADER_SECONDS=str(HEADER_SECONDS),
            BODY_SECONDS=str(HEADER_SECONDS),
        ) as proxy,
    ):
        wait_for(lambda: accepts(https_port))
        context = ssl.create_default_context(cafile=str(tls / "fullchain.pem"))
        yield Site(server, proxy, context, https_port, http_port, tls)
