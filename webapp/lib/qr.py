"""QR codes as SVG that a page can carry: coloured by its style sheet, without a style of their own."""

from __future__ import annotations

import segno
from markupsafe import Markup


def svg(text: str) -> Markup:
    """Return the code as an `svg` of class `qr-code`; its one path has the class `qr-dark`."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(
        border=0, omitsize=True, svgclass="qr-code", lineclass="qr-dark"
    )
    return Markup(drawn)  # noqa: S704 - drawn by us: the text is in the pattern only
