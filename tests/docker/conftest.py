"""The image, built once."""

from __future__ import annotations

import pytest

from tests.docker.image import Image, build


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile makes, as a folder; takes a minute."""
    return build(tmp_path_factory.mktemp("image"))
