"""Avatars: every picture is decoded and drawn anew, so that nothing of the upload itself is kept or served."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import re
import secrets
import struct
import threading
import zlib
from functools import cache
from pathlib import Path
from typing import IO, Final

from flask_babel import gettext as _
from PIL import ExifTags, Image, ImageOps

from webapp.accounts import rules
from webapp.accounts.models import User
from webapp.config import current_settings
from webapp.database import write_transaction
from webapp.errors import Invalid, NotFound, Unavailable
from webapp.lib import offload

log = logging.getLogger(__name__)

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{43}")
# What Pillow's decoders raise for damaged files; found by feeding them some.
_UNREADABLE: Final = (
    OSError,
    ValueError,
    TypeError,
    SyntaxError,
    LookupError,
    ArithmeticError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
# How to turn a picture upright, by its EXIF orientation. The square is turned: much less work than the whole.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def set_avatar(user: User, upload: IO[bytes]) -> None:
    """Put a picture in the place of the present one; whatever goes wrong, that one stays."""
    data = upload.read(rules.AVATAR_MAX_BYTES + 1)
    if len(data) > rules.AVATAR_MAX_BYTES:
        limit = rules.AVATAR_MAX_BYTES // 1_048_576
        raise Invalid(
            _("This picture is larger than %(limit)s MB. Choose a smaller one.", limit=limit), field="avatar"
        )
    with _decoders():
        picture = offload.run(_redrawn, data)
    if picture is None:
        raise Invalid(_("This is not a picture we can read. Use PNG, JPEG, WebP or GIF."), field="avatar")
    name = secrets.token_urlsafe(32)
    _store_file(name, picture)
    try:
        old = _store_name(user, name)
    except BaseException:
        delete_file(name)
        raise
    delete_file(old)


def remove_avatar(user: User) -> None:
    """Take the picture away."""
    delete_file(_store_name(user, None))


def avatar_path(avatar_id: str) -> Path:
    """Return the file of a picture; raises NotFound for anything that is not the name of one."""
    path = _folder() / f"{avatar_id}.webp"
    if not _NAME.fullmatch(avatar_id) or not path.is_file():
        raise NotFound(_("There is no such picture."))
    return path


def _redrawn(data: bytes) -> bytes | None:
    """Return the first frame as a square WebP without metadata, None for what cannot or should not be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > rules.AVATAR_MAX_PIXELS:
                return None
            if getattr(image, "n_frames", 1) > rules.AVATAR_MAX_FRAMES:
                return None
            image.seek(0)
            turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            image.draft("RGB", (rules.AVATAR_SIZE * 2, rules.AVATAR_SIZE * 2))
            square = ImageOps.fit(image.convert("RGBA"), (rules.AVATAR_SIZE, rules.AVATAR_SIZE))
    except _UNREADABLE:
        return None
    out = io.BytesIO()
    (square if turn is None else square.transpose(turn)).save(
        out, "WEBP", quality=85, exif=b"", icc_profile=b""
    )
    return out.getvalue()


@cache
def _decoders() -> threading.Semaphore:
    """Return what bounds the memory of decoding: a picture at the limit takes some 200 MB for a moment."""
    return threading.Semaphore(2)


def _store_file(name: str, picture: bytes) -> None:
    """Write a file whole or not at all."""
    folder = _folder()
    draft = folder / f".{name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(picture)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / f"{name}.webp")
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        log.error("avatar not stored", extra={"error": errno.errorcode.get(error.errno or 0, "OSError")})
        sentence = _("The picture could not be stored; your present one stays. Tell whoever runs this site.")
        raise Unavailable(sentence, field="avatar", code="storage_unavailable") from None


@write_transaction
def _store_name(user: User, name: str | None) -> str | None:
    old, user.avatar_id = user.avatar_id, name
    return old


def delete_file(name: str | None) -> None:
    """Delete the file of a picture that no account names any more."""
    if name and _NAME.fullmatch(name):
        with contextlib.suppress(OSError):
            (_folder() / f"{name}.webp").unlink(missing_ok=True)


def _folder() -> Path:
    return current_settings().instance_path / "uploads" / "avatars"
