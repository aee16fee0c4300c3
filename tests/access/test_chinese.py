"""Every page can be read in Chinese: a translation that does not fit its page fails here, not before a reader."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.access.people import Cast
from tests.access.table import MATRIX, PUBLIC, USER
from tests.access.things import MAKERS
from tests.conftest import make_settings, running


def test_every_page_in_chinese(tmp_path: Path, template_database: Path) -> None:
    shutil.copy(template_database, tmp_path / "agent-tools.db")
    for app in running(make_settings(tmp_path, log_level="WARNING", default_locale="zh_CN")):
        cast, seen = Cast(app), 0
        made = {thing: maker(cast) for thing, maker in MAKERS.items()}
        for rule in app.url_map.iter_rules():
            row = MATRIX.get(rule.endpoint)
            if row is None or "GET" not in (rule.methods or ()):
                continue
            values = made[row.thing] if row.thing else {}
            with app.test_request_context():
                url = rule.build(values, append_unknown=False)[1]  # type: ignore[index]
            name = "user" if row.audience in {PUBLIC, USER} else "superadmin"
            answer = cast.client(name).open(url, buffered=True)
            assert answer.status_code < 500, (rule.rule, answer.text[:500])
            if b"<html" in answer.data and answer.status_code < 300:
                assert '<html lang="zh-CN"' in answer.text, rule.rule
                seen += 1
        assert seen > 50
