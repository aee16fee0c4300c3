"""The icons: which ones the pages use, and the sprite made of them."""

from __future__ import annotations

from typing import Final

ICONS: Final = {
    # our name: Lucide's name
    "activity": "activity",
    "alert": "triangle-alert",
    "arrow-left": "arrow-left",
    "arrow-down": "arrow-down",
    "arrow-right": "arrow-right",
    "arrow-up": "arrow-up",
    "audit": "scroll-text",
    "auto": "monitor",
    "calendar": "calendar-clock",
    "chart": "chart-column",
    "check": "check",
    "chevron-down": "chevron-down",
    "chevron-right": "chevron-right",
    "chevrons": "chevrons-up-down",
    "close": "x",
    "code": "code-xml",
    "copy": "copy",
    "download": "download",
    "edit": "pencil",
    "error": "circle-alert",
    "export": "upload",
    "eye": "eye",
    "eye-off": "eye-off",
    "filter": "shield-alert",
    "idle": "circle-minus",
    "info": "info",
    "key": "key-round",
    "language": "languages",
    "laptop": "laptop",
    "lock": "lock",
    "mail": "mail",
    "menu": "menu",
    "model": "boxes",
    "moon": "moon",
    "more": "ellipsis",
    "new-chat": "square-pen",
    "ok": "circle-check",
    "overview": "layout-dashboard",
    "paused": "circle-pause",
    "phone": "smartphone",
    "pin": "pin",
    "play": "play",
    "plug": "plug",
    "plus": "plus",
    "refresh": "refresh-cw",
    "search": "search",
    "server": "server",
    "settings": "settings",
    "shield": "shield-check",
    "sidebar": "panel-left",
    "sign-out": "log-out",
    "stop": "square",
    "stopped": "circle-stop",
    "sun": "sun",
    "table": "table-2",
    "tasks": "list-checks",
    "text": "file-text",
    "think": "brain",
    "trash": "trash-2",
    "user": "user-round",
    "users": "users-round",
}


def sprite() -> bytes:
    """Return one SVG with every icon as a symbol, `i-<name>`, drawn in the colour of the text around it."""
    symbols = "".join(_symbol(name, lucide_name) for name, lucide_name in ICONS.items())
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>'.encode()


def _symbol(name: str, lucide_name: str) -> str:
    from lucide.jinja import lucide

    drawn = str(lucide(lucide_name, size=None))
    shapes = "".join(drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")].split("\n"))
    return (
        f'<symbol id="i-{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-linecap="round" stroke-linejoin="round">{shapes.strip()}</symbol>'
    )
