"""Which version this is, and the order of the units on each floor: a unit may import only what stands before it."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
GROUND: Final = ("config", "errors", "extensions", "features", "lib")
KIT: Final = ("metrics", "bus", "database", "mail", "web")
FEATURES: Final = (
    "audit",
    "settings",
    "tasks",
    "identity",
    "accounts",
    "admins",
    "announcements",
    "llm",
    "chat",
    "prompts",
    "backup",
)
SHELLS: Final = ("site", "dashboard", "api")
ASSEMBLY: Final = ("background", "doctor", "app", "runner", "celery_app", "serve", "worker", "bootstrap")
