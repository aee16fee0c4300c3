"""Everything about somebody, as one ZIP file: pages to read, and the same as JSON.

Features register what they know of a person; each writes its parts row by row, so that memory stays bounded
whatever the person has written.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import itertools
import json
import logging
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, Final, cast

from flask import Flask, current_app
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import or_, select

from webapp.accounts.models import User
from webapp.audit import service as audit
from webapp.audit.models import AuditEntry
from webapp.audit.rules import Event
from webapp.config import current_settings
from webapp.database import db
from webapp.errors import Unavailable
from webapp.identity import service as identity
from webapp.identity.models import ApiToken, LoginSession, SignIn
from webapp.identity.rules import Realm
from webapp.lib import clock

log = logging.getLogger(__name__)

Rows = Iterable[Mapping[str, Any]]
_PARTS: Final = "export_parts"
_BATCH: Final = 200
_STYLE: Final = """body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.6 sans-serif; color: #121B1D; }
table { border-collapse: collapse; font-size: 14px; } td, th { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #E0E6E6;
text-align: left; vertical-align: top; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
h2 { margin-top: 2rem; font-size: 1rem; } a { color: #0B6277; }
"""


class Archive:
    """The ZIP file while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._index: list[tuple[str, str]] = []
        self._written = 0

    def table(self, name: str, title: str, rows: Callable[[], Rows]) -> None:
        """Write rows twice: as `<name>.json` and, one row below the other, as `<name>.html`; `rows` is called twice."""
        self.json(f"{name}.json", rows())
        self.text(f"{name}.html", title, map(_table_row, rows()), before="<table>", after="</table>")
        self._index.append((f"{name}.html", title))

    def json(self, name: str, rows: Rows) -> None:
        """Write rows as one JSON list."""
        lines = (json.dumps(dict(row), ensure_ascii=False, default=_plain) for row in rows)
        self._write(name, _between("[\n", ",\n", lines, "\n]\n"))

    def text(
        self,
        name: str,
        title: str,
        blocks: Iterable[Markup],
        *,
        before: str = "",
        after: str = "",
        listed: str = "",
    ) -> None:
        """Write a page of blocks of HTML; `listed` is how the list of contents names it."""
        head = Markup(
            '<!doctype html><html><head><meta charset="utf-8"><title>{0}</title>'
            '<link rel="stylesheet" href="{1}style.css"></head><body><h1>{0}</h1>'
        ).format(title, "../" * name.count("/"))
        self._write(name, map(str, itertools.chain((head, before), blocks, (after, "</body></html>\n"))))
        if listed:
            self._index.append((name, listed))

    def file(self, name: str, content: bytes) -> None:
        """Write a file as it is."""
        self._zip.writestr(name, content)

    def close(self) -> None:
        """Write the list of contents, and the end."""
        self.file("style.css", _STYLE.encode())
        links = [Markup('<p><a href="{}">{}</a></p>').format(name, title) for name, title in self._index]
        self.text("index.html", _("Your data"), links)
        self._zip.close()

    def _write(self, name: str, pieces: Iterable[str]) -> None:
        with self._zip.open(zipfile.ZipInfo(name, clock.utc_now().timetuple()[:6]), "w") as out:
            for piece in pieces:
                out.write(piece.encode("utf-8", "replace"))
                self._written += 1
                if self._written % _BATCH == 0:
                    time.sleep(0)  # others get their turn on the event loop


Part = Callable[[User, Archive], None]


def register_export(app: Flask, name: str, part: Part) -> None:
    """Tell how a feature writes what it knows of a person; called inside a request, and must not change anything."""
    app.extensions.setdefault(_PARTS, {})[name] = part


def export(user: User) -> IO[bytes]:
    """Return everything about the person as a ZIP file that is gone when it is closed; the export is recorded.

    Raises Unavailable where there is no room for it.
    """
    folder = current_settings().instance_path / "exports"
    file: IO[bytes] | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by whoever sends it
        archive = Archive(file)
        for part in _parts().values():
            part(user, archive)
        archive.close()
    except OSError as error:
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
        log.error("export not stored", extra={"error": errno.errorcode.get(error.errno or 0, "OSError")})
        sentence = _("The export could not be stored. Tell whoever runs this site.")
        raise Unavailable(sentence, code="storage_unavailable") from None
    audit.record_alone(Event.USER_EXPORTED_DATA, actor=user, target=user)
    file.seek(0)
    return file


def in_batches(query: Any, key: Any) -> Iterator[Any]:
    """Yield the rows of a query over a model in the order of its key, a few hundred at a time."""
    last = 0
    while True:
        rows = db.session.scalars(query.where(key > last).order_by(key).limit(_BATCH)).all()
        for row in rows:
            last = getattr(row, key.key)
            yield row
            db.session.expunge(row)
        if len(rows) < _BATCH:
            return


def own_parts(user: User, archive: Archive) -> None:
    """Write what accounts and identity know of a person."""
    archive.table("profile", _("Profile"), lambda: [_profile(user)])
    mine = Realm.USER.value, user.id
    archive.table(
        "sessions",
        _("Devices"),
        lambda: (
            _chosen(row, "address", "user_agent", "created_at", "last_seen_at", "expires_at", "revoked_at")
            for row in in_batches(_of(LoginSession, *mine), LoginSession.id)
        ),
    )
    archive.table(
        "sign-ins",
        _("Sign-ins"),
        lambda: (
            _chosen(row, "outcome", "address", "user_agent", "created_at", "new_device")
            for row in in_batches(_of(SignIn, *mine), SignIn.id)
        ),
    )
    archive.table(
        "api-tokens",
        _("API tokens"),
        lambda: (
            _chosen(
                row, "name", "scopes", "networks", "created_at", "expires_at", "last_used_at", "revoked_at"
            )
            for row in in_batches(_of(ApiToken, *mine), ApiToken.id)
        ),
    )
    archive.table("audit", _("What was recorded about you"), lambda: _audit_rows(user))


def _audit_rows(user: User) -> Rows:
    party = user.audit_party()
    about = or_(
        (AuditEntry.actor_kind == party.kind) & (AuditEntry.actor_id == party.id),
        (AuditEntry.target_kind == party.kind) & (AuditEntry.target_id == party.id),
    )
    for row in in_batches(select(AuditEntry).where(about), AuditEntry.id):
        of_person = row.actor_kind in {party.kind, "stranger"}
        yield {
            "event": row.event,
            "by": row.actor_name or row.actor_kind,
            "at": row.created_at,
            "address": row.address if of_person else "",  # where administrators sit is not this person's data
            "before": row.before,
            "after": row.after,
        }


def _profile(user: User) -> dict[str, Any]:
    names = ("email", "username", "display_name", "locale", "timezone", "created_at", "password_changed_at")
    two_step = identity.second_factor_is_on(Realm.USER, user.id)
    return {**_chosen(user, *names, "last_login_at"), "two_step_sign_in": two_step}


def _of(model: Any, realm: str, subject_id: int) -> Any:
    return select(model).where(model.realm == realm, model.subject_id == subject_id)


def _chosen(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _table_row(row: Mapping[str, Any]) -> Markup:
    cells = Markup("").join(
        Markup("<tr><th>{}</th><td><pre>{}</pre></td></tr>").format(name, _plain(value))
        for name, value in row.items()
    )
    return cells + Markup('<tr><td colspan="2">&nbsp;</td></tr>\n')


def _plain(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)


def _between(begin: str, middle: str, pieces: Iterable[str], end: str) -> Iterator[str]:
    yield begin
    for number, piece in enumerate(pieces):
        yield middle + piece if number else piece
    yield end


def _parts() -> dict[str, Part]:
    return cast("dict[str, Part]", current_app.extensions.get(_PARTS, {}))
