"""Which settings administrators may change, in which groups."""

from __future__ import annotations

from typing import Final

# What concerns the machine (addresses, databases, keys of encryption, proxies) stays in the environment.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "site": ("site_name", "default_locale", "default_timezone"),
    "accounts": (
        "registration_open",
        "password_min_length",
        "admin_password_min_length",
        "session_idle_minutes",
        "session_absolute_minutes",
    ),
    "mail": (
        "mail_server",
        "mail_port",
        "mail_username",
        "mail_password",
        "mail_use_tls",
        "mail_use_ssl",
        "mail_sender",
        "mail_timeout_seconds",
    ),
    "models": (
        "default_model",
        "zhipuai_api_key",
        "zhipuai_base_url",
        "zhipuai_models",
        "openai_compatible_api_key",
        "openai_compatible_base_url",
        "openai_compatible_models",
        "llm_first_token_timeout_seconds",
        "llm_idle_timeout_seconds",
        "max_streams_per_user",
    ),
}
CHANGEABLE: Final = frozenset(name for names in GROUPS.values() for name in names)
# A key is meant for one service: where the service's origin changes, the key goes with it (requirement M5).
KEY_OF_ORIGIN: Final = {
    "zhipuai_base_url": "zhipuai_api_key",
    "openai_compatible_base_url": "openai_compatible_api_key",
}
CHECK_SECONDS: Final = 2.0  # so long another process may still use the values before a change
