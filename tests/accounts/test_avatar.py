"""Avatars: what is taken, what is kept of it, and how it is served."""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import warnings
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from tests.accounts import pictures
from tests.pages import PageClient
from tests.people import Person
from webapp.accounts import rules
from webapp.accounts.models import User
from webapp.database import db


def upload(client: PageClient, data: bytes, name: str = "me.png", kind: str = "image/png"):
    return client.submit(
        "/profile/avatar",
        {"avatar": (io.BytesIO(data), name, kind)},
        page="/profile",
        content_type="multipart/form-data",
    )


def stored(instance: Path) -> list[Path]:
    folder = instance / "uploads" / "avatars"
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def avatar_of(app: Flask, person: Person) -> str | None:
    with app.app_context():
        return db.session.get_one(User, person.id).avatar_id


def served(app: Flask, client: PageClient, person: Person) -> Image.Image:
    response = client.get(f"/avatars/{avatar_of(app, person)}")
    assert response.status_code == 200
    return Image.open(io.BytesIO(response.data))


@pytest.mark.parametrize(
    "data",
    [
        pictures.picture("PNG"),
        pictures.picture("PNG", "RGBA"),
        pictures.picture("PNG", "P"),
        pictures.picture("PNG", "LA"),
        pictures.picture("PNG", "1"),
        pictures.picture("JPEG"),
        pictures.picture("JPEG", "CMYK"),
        pictures.picture("JPEG", "L"),
        pictures.picture("WEBP"),
        pictures.picture("GIF"),
        pictures.picture("PNG", size=(1, 1)),
        pictures.picture("PNG", size=(3000, 10)),
        pictures.animated(20, "GIF"),
        pictures.animated(20, "WEBP"),
    ],
    ids=lambda data: f"{data[:4]!r} {len(data)}",
)
def test_pictures_become_a_square_webp(
    app: Flask, signed_in: PageClient, user: Person, instance: Path, data: bytes
) -> None:
    assert upload(signed_in, data).location == "/profile"
    image = served(app, signed_in, user)
    assert (image.format, image.size, getattr(image, "n_frames", 1)) == ("WEBP", (256, 256), 1)
    assert len(stored(instance)) == 1
    assert f"/avatars/{avatar_of(app, user)}" in signed_in.get("/profile").text


@pytest.mark.parametrize("data", [pictures.with_metadata(), pictures.png_with_text(), pictures.polyglot()])
def test_nothing_but_the_pixels_is_kept(signed_in: PageClient, instance: Path, data: bytes) -> None:
    assert upload(signed_in, data).status_code == 303
    kept = stored(instance)[0].read_bytes()
    for secret in (b"SECRET", b"POLYGLOT", b"<html", b"EXIF", b"XMP "):
        assert secret not in kept
    assert dict(Image.open(io.BytesIO(kept)).getexif()) == {}


def test_picture_is_turned_upright(app: Flask, signed_in: PageClient, user: Person) -> None:
    upload(signed_in, pictures.sideways())
    image = served(app, signed_in, user).convert("RGB")
    top, bottom = image.getpixel((128, 40)), image.getpixel((128, 215))
    assert top[0] > 200 > 100 > top[2], "what was left is on top"  # type: ignore[index]
    assert bottom[2] > 200 > 100 > bottom[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("svg", pictures.SVG),
        ("html", b"<html><script>alert(1)</script></html>"),
        ("nothing", b""),
        ("noise", random.Random(1).randbytes(5000)),
        ("cut off", pictures.picture("PNG")[:200]),
        ("bmp", pictures.encoded(Image.new("RGB", (9, 9)), "BMP")),
        ("tiff", pictures.encoded(Image.new("RGB", (9, 9)), "TIFF")),
        ("pdf", pictures.encoded(Image.new("RGB", (9, 9)), "PDF")),
        ("ico", pictures.encoded(Image.new("RGB", (16, 16)), "ICO")),
        ("eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        ("pixels", pictures.png_bomb(6_000, 6_000)),
        ("wide", pictures.png_bomb(200_000, 200)),
        ("huge", pictures.png_bomb(1_000_000, 200)),
        ("frames", pictures.gif_of_frames(rules.AVATAR_MAX_FRAMES + 1)),
        ("many frames", pictures.gif_of_frames(60_000)),
        ("text", pictures.text_bomb()),
    ],
)
def test_what_is_no_picture_or_a_bomb_is_refused_and_leaves_nothing(
    app: Flask, signed_in: PageClient, user: Person, instance: Path, what: str, data: bytes
) -> None:
    response = upload(signed_in, data)
    assert response.status_code == 422, what
    assert 'id="avatar-error"' in response.text
    assert stored(instance) == []
    assert avatar_of(app, user) is None


def test_name_and_type_that_the_browser_tells_do_not_count(signed_in: PageClient, instance: Path) -> None:
    assert upload(signed_in, pictures.SVG, "me.png", "image/png").status_code == 422
    assert upload(signed_in, pictures.picture("PNG"), "../../evil.html", "text/html").status_code == 303
    (path,) = stored(instance)
    assert path.parent == instance / "uploads" / "avatars"
    assert path.suffix == ".webp"
    assert len(path.stem) == 43


def test_too_many_bytes_are_refused_in_words(signed_in: PageClient, instance: Path) -> None:
    padded = pictures.picture("PNG") + b"\0" * rules.AVATAR_MAX_BYTES
    response = upload(signed_in, padded)
    assert response.status_code == 422
    assert "larger than 2 MB" in response.text
    response = signed_in.post("/profile/avatar", data={"avatar": (io.BytesIO(b"\0" * 5_000_000), "a.png")})
    assert response.status_code == 413
    assert stored(instance) == []


def test_no_file_is_told(signed_in: PageClient) -> None:
    response = signed_in.submit("/profile/avatar", page="/profile")
    assert response.status_code == 422
    assert "Choose a picture first." in response.text


def test_new_picture_removes_the_old_file(
    app: Flask, signed_in: PageClient, user: Person, instance: Path
) -> None:
    upload(signed_in, pictures.picture("PNG"))
    first = avatar_of(app, user)
    upload(signed_in, pictures.picture("JPEG"))
    assert [path.stem for path in stored(instance)] == [avatar_of(app, user)]
    assert first != avatar_of(app, user)
    assert signed_in.get(f"/avatars/{first}").status_code == 404


def test_refused_picture_leaves_the_old_one(
    app: Flask, signed_in: PageClient, user: Person, instance: Path
) -> None:
    upload(signed_in, pictures.picture("PNG"))
    before = stored(instance)[0].read_bytes()
    upload(signed_in, pictures.SVG)
    assert [path.read_bytes() for path in stored(instance)] == [before]
    served(app, signed_in, user)


def test_picture_can_be_taken_away(app: Flask, signed_in: PageClient, user: Person, instance: Path) -> None:
    upload(signed_in, pictures.picture("PNG"))
    signed_in.submit("/profile/avatar", {"remove": "1"}, page="/profile")
    assert avatar_of(app, user) is None
    assert stored(instance) == []


def test_served_so_that_it_can_do_nothing(app: Flask, signed_in: PageClient, user: Person) -> None:
    upload(signed_in, pictures.picture("PNG"))
    headers = signed_in.get(f"/avatars/{avatar_of(app, user)}").headers
    assert headers["Content-Type"] == "image/webp"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cache-Control"].startswith("private")


def test_only_people_who_are_signed_in_see_pictures(
    app: Flask, client: PageClient, signed_in: PageClient, other_signed_in: PageClient, user: Person
) -> None:
    upload(signed_in, pictures.picture("PNG"))
    address = f"/avatars/{avatar_of(app, user)}"
    assert client.get(address).status_code in {302, 401}
    assert other_signed_in.get(address).status_code == 200


@pytest.mark.parametrize(
    "name", ["x" * 43, "..", "..%2f..%2fsecret_key", "%2e%2e%2fsecret_key", "a.webp", "x" * 43 + "%00"]
)
def test_names_cannot_be_guessed_or_climbed(signed_in: PageClient, name: str) -> None:
    assert signed_in.get(f"/avatars/{name}").status_code == 404
    assert signed_in.get("/avatars/").status_code == 404


def test_folder_that_takes_no_files_keeps_the_old_picture(
    app: Flask, signed_in: PageClient, user: Person, instance: Path
) -> None:
    upload(signed_in, pictures.picture("PNG"))
    before = stored(instance)[0].read_bytes()
    folder = instance / "uploads" / "avatars"
    kept = folder.rename(folder.with_name("kept"))
    folder.write_bytes(b"a file where the folder should be")
    response = upload(signed_in, pictures.picture("JPEG"))
    assert response.status_code == 503
    assert "could not be stored" in response.text
    folder.unlink()
    kept.rename(folder)
    assert [path.read_bytes() for path in stored(instance)] == [before]
    served(app, signed_in, user)


@pytest.mark.skipif(os.geteuid() != 0, reason="Not on this machine: the right to mount a small disk")
def test_full_disk_keeps_the_old_picture_and_leaves_no_part(
    app: Flask, signed_in: PageClient, user: Person, instance: Path, small_disk: Path
) -> None:
    upload(signed_in, pictures.picture("PNG"))
    first = avatar_of(app, user)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 1024)
    response = upload(signed_in, pictures.picture("JPEG", size=(700, 700)))
    assert response.status_code == 503
    assert [path.stem for path in stored(instance) if path != filler] == [first]
    served(app, signed_in, user)
    filler.unlink()
    assert upload(signed_in, pictures.picture("JPEG")).status_code == 303


def test_damaged_files_are_refused_and_never_an_error(signed_in: PageClient) -> None:
    """Each of these is a picture with a few bytes changed; some are pictures still."""
    chance = random.Random(20261123)
    warnings.simplefilter("ignore")
    originals = [
        pictures.with_metadata(),
        pictures.picture("PNG", "P"),
        pictures.animated(3),
        pictures.picture("WEBP"),
    ]
    for _turn in range(60):
        damaged = bytearray(chance.choice(originals))
        for _change in range(chance.choice((1, 3, 12))):
            damaged[chance.randrange(min(len(damaged), 400))] = chance.randrange(256)
        assert upload(signed_in, bytes(damaged)).status_code in {303, 422}


@pytest.fixture
def small_disk(instance: Path):
    """A disk of 1 MB under the folder of the pictures."""
    folder = instance / "uploads" / "avatars"
    folder.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("Not on this machine: the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
