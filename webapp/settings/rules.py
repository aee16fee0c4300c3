"""Which settings administrators may change, in which groups."""

from __future__ import annotations

from typing import Final

# What concerns the machine (addresses, databases, keys of encryption, proxies) stays in the environment.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "site": ("site_name", "default_locale", "default_timezone"),
    "accounts": (
        "registration_open",
        "registration_domains",
        "password_min_length",
        "admin_password_min_length",
        "session_idle_minutes",
        "session_absolute_minutes",
        "admin_session_idle_minutes",
        "admin_session_absolute_minutes",
        "admins_need_second_factor",
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
        "model_prices",
        "price_currency",
        "llm_first_token_timeout_seconds",
        "llm_idle_timeout_seconds",
        "max_streams_per_user",
        "schedules_per_user",
        "schedule_min_minutes",
    ),
    "records": ("audit_retention_days", "task_history_days", "task_failures_to"),
}
CHANGEABLE: Final = frozenset(name for names in GROUPS.values() for name in names)
# A secret is meant for one service: where the service's origin changes, the secret goes (requirement M5).
SECRET_OF_ORIGIN: Final = {
    "zhipuai_base_url": "zhipuai_api_key",
    "openai_compatible_base_url": "openai_compatible_api_key",
    "mail_server": "mail_password",
}
# Where the program sends keys and chats: these need a permission of their own (requirement M1).
OF_PROVIDERS: Final = frozenset(
    {
        "zhipuai_api_key",
        "zhipuai_base_url",
        "openai_compatible_api_key",
        "openai_compatible_base_url",
    }
)
CHECK_SECONDS: Final = 2.0  # so long another process may still use the values before a change
HISTORY_PAGE: Final = 50
