"""The settings of a deployment: what there is, of which type, with which default, and what does not go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from webapp.config.faults import faults_of

ROOT: Final = Path(__file__).resolve().parents[2]


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Every setting of a deployment; names in the environment are the upper-case field names."""

    model_config = SettingsConfigDict(
        env_file=None, extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )

    profile: Literal["local", "production", "test"] = Field(
        "local",
        validation_alias=AliasChoices("APP_PROFILE", "profile"),
        description="local for one machine, production for a server that others reach",
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="signs cookies; made once in the instance folder unless set; required in production",
    )
    encryption_keys: SecretStr = Field(
        SecretStr(""),
        description="Fernet keys for secrets in the database, comma separated, the first one seals; made once in "
        "the instance folder unless set",
    )
    audit_key: SecretStr = Field(
        SecretStr(""),
        description="seals the audit log; empty means SECRET_KEY; where that is changed, put the old one here",
    )
    instance_path: Path = Field(ROOT / "instance", description="folder for all state of this deployment")
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in the instance folder")
    redis_url: str = Field(
        "", description="optional; processes then share limits, and hear of each other's changes at once"
    )

    host: str = Field("127.0.0.1", description="address the server listens on")
    port: int = Field(5000, ge=1, le=65535, description="port the server listens on")
    web_concurrency: int = Field(1, ge=1, le=64, description="number of web worker processes")
    drain_seconds: int = Field(
        0,
        ge=0,
        le=60,
        description="after TERM, requests are served for so long while readiness says no, so that a balancer turns away",
    )
    public_url: str = Field("", description="address people use, for links in mail; required in production")
    trusted_hosts: Names = Field(
        (), description="host names answered, comma separated; empty means that of PUBLIC_URL"
    )
    proxy_count: int = Field(
        0, ge=0, le=5, description="reverse proxies in front whose X-Forwarded headers are believed"
    )
    api_cors_origins: Names = Field(
        (),
        description="origins whose pages may call the API, such as https://app.example.com, comma separated",
    )
    max_body_bytes: int = Field(4_194_304, ge=65_536, description="largest request body in bytes")

    site_name: str = Field(
        "Agent Tools",
        min_length=1,
        max_length=60,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="name shown on pages and in mail",
    )
    default_locale: Literal["en", "zh_CN"] = Field(
        "en", description="language when neither account nor browser says"
    )
    default_timezone: str = Field("UTC", description="time zone for people who chose none")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level logged")
    log_to_file: bool = Field(default=True, description="also write rotated logs into the instance folder")

    mail_server: str = Field("", description="SMTP host; empty in the local profile keeps mail on /dev/mail")
    mail_port: int = Field(587, ge=1, le=65535, description="SMTP port")
    mail_username: str = Field("", description="SMTP user, if it wants one")
    mail_password: SecretStr = Field(SecretStr(""), description="SMTP password")
    mail_use_tls: bool = Field(default=True, description="STARTTLS on the SMTP connection")
    mail_use_ssl: bool = Field(default=False, description="TLS from the first byte (port 465)")
    mail_sender: str = Field("agent-tools@localhost", description="From address of all mail")
    mail_timeout_seconds: int = Field(15, ge=1, le=120, description="longest wait for the SMTP server")

    session_idle_minutes: int = Field(10_080, ge=5, description="sign-in ends after so long without use")
    session_absolute_minutes: int = Field(43_200, ge=5, description="sign-in ends after so long in any case")
    admin_session_idle_minutes: int = Field(
        60, ge=5, description="sign-in of an administrator ends after so long without use"
    )
    admin_session_absolute_minutes: int = Field(
        720, ge=5, description="sign-in of an administrator ends after so long in any case"
    )
    password_min_length: int = Field(10, ge=8, le=64, description="shortest password of a user")
    admin_password_min_length: int = Field(
        15, ge=8, le=64, description="shortest password of an administrator"
    )
    rate_limits: bool = Field(
        default=True, description="hold requests to the limits; off only behind a gateway that does"
    )
    registration_open: bool = Field(default=True, description="may strangers register")
    registration_domains: Names = Field(
        (), description="e-mail domains that may register, comma separated; empty means all"
    )
    admins_need_second_factor: Literal["auto", "on", "off"] = Field(
        "auto",
        description="must administrators sign in with a second factor: on, off, or auto, which means in production",
    )
    audit_retention_days: int = Field(
        730, ge=0, le=36_500, description="days the audit log is kept; 0 keeps it for ever"
    )

    scheduler: Literal["embedded", "off"] = Field(
        "embedded", description="off leaves scheduled work to processes of `flask scheduler run`"
    )
    task_engine: Literal["embedded", "celery"] = Field(
        "embedded",
        description="who runs tasks: embedded, the processes that do scheduled work; celery, workers over Redis",
    )
    celery_broker_url: str = Field(
        "", description="Redis that Celery's messages go over; empty means REDIS_URL"
    )
    task_modules: Names = Field((), description="modules with functions for tasks, imported at the start")
    task_slots: int = Field(4, ge=1, le=64, description="task runs one process has under way at a time")
    task_memory_mb: int = Field(
        2048,
        ge=0,
        description="memory a run may take, so that one which eats it fails alone (Linux); 0 is no limit",
    )
    task_history_days: int = Field(30, ge=1, le=3650, description="task runs are kept for so long")
    task_failures_to: Names = Field(
        (), description="addresses that are told of failed tasks in a collected mail, comma separated"
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="bearer token for /metrics; without one there are no metrics"
    )
    backup_schedule: str = Field(
        "17 3 * * *",
        description="when backups are made, as a cron expression in DEFAULT_TIMEZONE; off for never",
    )
    backup_keep: int = Field(7, ge=1, le=1000, description="scheduled backups that are kept, the newest ones")
    backup_path: str = Field("", description="folder for backups; empty means backups in the instance folder")
    backup_passphrase: SecretStr = Field(
        SecretStr(""), description="encrypts backups; without it they are not encrypted"
    )
    backup_before_migration: bool = Field(
        default=True, description="make a backup before the tables are changed, if there is anything in them"
    )

    default_model: str = Field("", description="model chosen for a new chat; empty means the first available")
    zhipuai_api_key: SecretStr = Field(
        SecretStr(""), description="key for Zhipu models, of the form id.secret"
    )
    zhipuai_base_url: str = Field("https://open.bigmodel.cn/api/paas/v4", description="Zhipu endpoint")
    zhipuai_models: Names = Field(
        ("glm-4-flash", "glm-4-plus", "glm-4-air"), description="Zhipu models offered, comma separated"
    )
    openai_compatible_api_key: SecretStr = Field(
        SecretStr(""), description="key for the OpenAI-compatible endpoint"
    )
    openai_compatible_base_url: str = Field(
        "", description="OpenAI-compatible endpoint, such as https://host/v1"
    )
    openai_compatible_models: Names = Field((), description="models offered from it, comma separated")
    local_model: str = Field(
        "auto", description="auto, off, or the path of a gguf file for the embedded model"
    )
    scripted_models: bool = Field(
        default=False, description="offer scripted demonstration models (never in production)"
    )
    llm_connect_timeout_seconds: float = Field(5.0, gt=0, le=60, description="longest wait for a connection")
    llm_first_token_timeout_seconds: float = Field(
        60.0, gt=0, le=600, description="longest wait for the first token"
    )
    llm_idle_timeout_seconds: float = Field(30.0, gt=0, le=600, description="longest pause within an answer")
    llm_outbound_allow_hosts: Names = Field(
        (), description="host:port pairs of models in private networks that may be called, comma separated"
    )
    model_prices: Names = Field(
        (), description="model=input/output per million tokens, comma separated; shown under answers"
    )
    price_currency: str = Field(
        "CNY", pattern="^[A-Z]{3}$", description="currency of MODEL_PRICES, as three letters (ISO 4217)"
    )
    max_streams_per_user: int = Field(
        5, ge=1, le=1000, description="answers one person may have running at once"
    )
    schedules_per_user: int = Field(20, ge=0, le=1000, description="scheduled prompts one person may have")
    schedule_min_minutes: int = Field(
        15, ge=1, le=10_080, description="shortest time between two runs of a scheduled prompt, in minutes"
    )

    _keys_file: Path | None = PrivateAttr(default=None)

    @field_validator("instance_path", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value if value.is_absolute() else (ROOT / value).resolve()

    @model_validator(mode="after")
    def _check(self) -> Settings:
        faults = faults_of(self)
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def keys_file(self) -> Path | None:
        """The file that the encryption keys are in, None where the environment has them."""
        return self._keys_file

    @property
    def database_uri(self) -> str:
        """The SQLAlchemy URL in force; MySQL URLs get the PyMySQL driver."""
        url = self.database_url or f"sqlite:///{self.instance_path / 'agent-tools.db'}"
        for scheme in ("mysql://", "mariadb://"):
            if url.startswith(scheme):
                return "mysql+pymysql://" + url.removeprefix(scheme)
        return url

    def for_another_process(self) -> dict[str, Any]:
        """Return the values as JSON-able data, secrets in clear: for a pipe to a process of ours, nothing else."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        clear = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in values.items()
        }
        if self.keys_file is not None:
            del clear["encryption_keys"]  # it reads the file itself, and so follows a rotation of the keys
        return dict(json.loads(json.dumps(clear, default=str)))

    @property
    def base_url(self) -> str:
        """The address people use, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def https(self) -> bool:
        """Whether people reach the program over HTTPS; cookies and HSTS follow it."""
        return self.base_url.startswith("https://")

    @property
    def hosts(self) -> list[str]:
        """The host names that are answered."""
        if self.trusted_hosts:
            return list(self.trusted_hosts)
        own = urlsplit(self.base_url).hostname or "localhost"
        return [own] if self.profile == "production" else sorted({own, "localhost", "127.0.0.1", "[::1]"})

    @property
    def second_factor_for_admins(self) -> bool:
        """Whether administrators must have a second factor."""
        if self.admins_need_second_factor == "auto":
            return self.profile == "production"
        return self.admins_need_second_factor == "on"

    @property
    def can_mail(self) -> bool:
        """Whether mail reaches anybody; without it, administrators hand over one-time links."""
        return bool(self.mail_server) or self.shows_mail

    @property
    def shows_mail(self) -> bool:
        """Whether mail stays on the developer's page instead of being sent."""
        return self.profile != "production" and not self.mail_server
