"""Pictures for the tests of avatars, harmless and not."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (300, 200)) -> bytes:
    image = Image.new("RGB", size, "teal")
    image.paste("white", (0, 0, size[0] // 2, size[1]))
    return encoded(image.convert(mode), kind)


def with_metadata() -> bytes:
    """A JPEG that says where and by whom it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "SECRET-ARTIST"
    exif[ExifTags.Base.ImageDescription] = "SECRET-PLACE 60.17N"
    return encoded(Image.new("RGB", (300, 300), "teal"), "JPEG", exif=exif, comment=b"SECRET-COMMENT")


def png_with_text() -> bytes:
    info = PngInfo()
    info.add_text("Comment", "SECRET-TEXT", zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x>SECRET-XMP</x>")
    return encoded(Image.new("RGB", (100, 100), "teal"), "PNG", pnginfo=info)


def sideways() -> bytes:
    """A JPEG whose left half is red, with the note that it must be turned by a quarter to the right."""
    image = Image.new("RGB", (400, 400), "blue")
    image.paste("red", (0, 0, 200, 400))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encoded(image, "JPEG", exif=exif, quality=95)


def animated(frames: int, kind: str = "GIF") -> bytes:
    first, *more = (Image.new("L", (8, 8), number % 256) for number in range(frames))
    return encoded(first, kind, save_all=True, append_images=more, duration=20)


def gif_of_frames(count: int) -> bytes:
    """A GIF of so many tiny frames, written by hand since an encoder would merge them."""
    frame = (
        b"\x21\xf9\x04\x00\x02\x00\x00\x00"
        b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    return head + frame * count + b"\x3b"


def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of one grey level: a few kilobytes that unpack into width times height pixels."""
    row = b"\x00" + b"\x00" * ((width + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _row in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def polyglot() -> bytes:
    """A picture with a web page behind it."""
    return picture("GIF") + b"<html><script>alert('POLYGLOT')</script></html>"


def text_bomb() -> bytes:
    """A PNG with a text chunk of 100 MB, packed."""
    packed = b"Comment\x00\x00" + zlib.compress(b"A" * 100_000_000, 9)
    whole = picture("PNG", size=(10, 10))
    cut = whole.index(b"IDAT") - 4
    return whole[:cut] + _chunk(b"zTXt", packed) + whole[cut:]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
