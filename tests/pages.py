"""A test client that inspects every page it fetches, as a careful reader of its source would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api import described

LABELLED = {"input", "select", "textarea"}
NEEDS_NO_LABEL = {"hidden", "submit", "button"}


@dataclass
class Page(HTMLParser):
    """What matters of a page's source."""

    title: str = ""
    ids: list[str] = field(default_factory=list)
    headings: int = 0
    faults: list[str] = field(default_factory=list)
    fields: list[dict[str, str]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    forms: list[dict[str, Any]] = field(default_factory=list)
    language: str = ""
    _open: list[str] = field(default_factory=list)
    _in_title: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_title = tag == "title" and "svg" not in self._open
        self._open.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if "style" in values or tag == "style":
            self.faults.append(f"inline style on <{tag}>")
        if any(name.startswith("on") for name in values):
            self.faults.append(f"inline handler on <{tag}>")
        if tag == "script" and "src" not in values:
            self.faults.append("inline script")
        for name in ("src", "href", "action"):
            if "data:" in values.get(name, "") or "javascript:" in values.get(name, ""):
                self.faults.append(f"{name}={values[name]}")
        self._note(tag, values)

    def _note(self, tag: str, values: dict[str, str]) -> None:
        if tag == "html":
            self.language = values.get("lang", "")
        elif tag == "h1":
            self.headings += 1
        elif tag == "label":
            self.labels.add(values.get("for", ""))
        elif tag == "form":
            self.forms.append({**values, "fields": {}})
        elif tag == "img" and "alt" not in values:
            self.faults.append("image without alt")
        if tag in LABELLED or tag == "button":
            if self.forms:
                self.forms[-1]["fields"].setdefault(values.get("name", ""), values.get("value", ""))
            self.fields.append({**values, "tag": tag, "wrapped": "yes" if "label" in self._open[:-1] else ""})

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def check(self, *, whole: bool) -> None:
        """Raise AssertionError if the page lacks what every page has."""
        doubled = {name for name in self.ids if self.ids.count(name) > 1}
        assert not doubled, f"ids used twice: {doubled}"
        assert not self.faults, self.faults
        for each in self.fields:
            if each["tag"] not in LABELLED or each.get("type") in NEEDS_NO_LABEL or each["wrapped"]:
                continue
            named = each.get("id") in self.labels or "aria-label" in each or "aria-labelledby" in each
            assert named, f"no label: {each}"
        for form in self.forms:
            if form.get("method", "get").lower() == "post":
                assert form["fields"].get("csrf_token"), f"no CSRF token in the form {form.get('action')}"
        if whole:
            assert self.title.strip(), "no title"
            assert self.headings == 1, f"{self.headings} h1"
            assert self.language in {"en", "zh-CN"}, "no language"


def read(response: TestResponse) -> Page:
    """Parse an HTML answer."""
    page = Page()
    page.feed(response.get_data(as_text=True))
    return page


class PageClient(FlaskClient):
    """A client that checks each HTML answer and each of the API, and submits forms with their CSRF token."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        sandboxed = "; sandbox" in response.headers.get("Content-Security-Policy", "")
        is_page = response.mimetype == "text/html" and response.status_code not in {301, 302, 303}
        if is_page and not sandboxed:
            page = read(response)
            page.check(whole="<html" in response.get_data(as_text=True)[:300])
        described.check(self.application, response)
        return response

    def csrf_token(self, path: str = "/login") -> str:
        """Return a CSRF token of this browser's session, read from a page that has a form."""
        for form in read(self.get(path, follow_redirects=True)).forms:
            if token := form["fields"].get("csrf_token"):
                return str(token)
        raise AssertionError(f"no form with a token on {path}")

    def submit(
        self, path: str, data: dict[str, Any] | None = None, *, page: str | None = None, **kwargs: Any
    ) -> TestResponse:
        """Post a form with the token from its page (by default the page of the same address)."""
        token = self.csrf_token(page or path)
        return self.post(path, data={"csrf_token": token, **(data or {})}, **kwargs)
