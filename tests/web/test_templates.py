"""The shared templates: fields, layouts, errors, mail, and what filters say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, flash, render_template, render_template_string
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from tests.pages import Page
from tests.web.front_end import NOBODY, make_app
from webapp.web import filters

NOON = dt.datetime(2026, 11, 19, 6, 6, tzinfo=dt.UTC)
FORMS = '{% import "macros/forms.html" as forms with context %}'


class SignIn(FlaskForm):
    """A form with one of each field."""

    login = StringField("User name", [DataRequired(), Length(max=40)])
    password = PasswordField("Password", [DataRequired()])
    code = StringField("Code")
    remember = BooleanField("Keep me signed in")
    zone = SelectField("Time zone", choices=["UTC", "Asia/Shanghai"])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_app(tmp_path_factory.mktemp("instance"))


@pytest.fixture(scope="module")
def anonymous(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return make_app(tmp_path_factory.mktemp("instance"), NOBODY)


def parse(html: str, *, whole: bool = False) -> Page:
    page = Page()
    page.feed(html)
    page.check(whole=whole)
    return page


def field_named(page: Page, name: str) -> dict[str, str]:
    (found,) = [each for each in page.fields if each.get("name") == name]
    return found


def draw(app: Flask, source: str, form: FlaskForm | None = None, path: str = "/") -> str:
    with app.test_request_context(path):
        return render_template_string(FORMS + source, form=form)


def new_form(app: Flask, **data: object) -> SignIn:
    with app.test_request_context("/", method="POST", data=data):
        form = SignIn(meta={"csrf": False})
        form.validate()
        return form


def test_field_is_labelled_and_tied_to_its_help(app: Flask) -> None:
    form = new_form(app, login="lin", password="x")
    html = draw(app, '{{ forms.field(form.login, help="As in mail", autocomplete="username") }}', form)
    field = field_named(parse(html), "login")
    assert field["value"] == "lin"
    assert field["autocomplete"] == "username"
    assert field["maxlength"] == "40"
    assert field["aria-describedby"] == "login-help"
    assert "aria-invalid" not in field
    assert 'id="login-help"' in html


def test_error_replaces_help_and_keeps_what_was_typed(app: Flask) -> None:
    form = new_form(app, login="l" * 50, password="secret-sentence")
    html = draw(
        app, '{{ forms.field(form.login, help="As in mail") }}{{ forms.password(form.password) }}', form
    )
    field = field_named(parse(html), "login")
    assert field["aria-invalid"] == "true"
    assert field["aria-describedby"] == "login-error"
    assert field["value"] == "l" * 50
    assert "is-invalid" in field["class"]
    assert "As in mail" not in html
    assert "secret-sentence" not in html


def test_label_line_takes_a_link(app: Flask) -> None:
    source = '{% call forms.password(form.password) %}<a href="/x">Forgot password?</a>{% endcall %}'
    html = draw(app, source, new_form(app))
    assert html.index('class="between"') < html.index("Forgot password?") < html.index("<input")


def test_code_is_one_field_that_takes_a_paste(app: Flask) -> None:
    html = draw(
        app,
        '{% call forms.code(form.code) %}{{ forms.resend("again", 42) }}{% endcall %}<form id="again"></form>',
        new_form(app),
    )
    field = field_named(parse(html), "code")
    assert (field["inputmode"], field["autocomplete"], field["data-code"]) == (
        "numeric",
        "one-time-code",
        "6",
    )
    assert 'data-resend="42"' in html
    assert "Resend in {time}" in html


def test_other_kinds_of_field(app: Flask) -> None:
    html = draw(
        app,
        '{{ forms.check(form.remember) }}{{ forms.select(form.zone) }}{{ forms.submit("Save", "Saving") }}',
        new_form(app),
    )
    page = parse(html)
    assert field_named(page, "remember")["class"] == "form-check-input"
    assert field_named(page, "zone")["tag"] == "select"
    assert 'data-busy="Saving"' in html


def test_refusal_without_a_field_is_an_alert(app: Flask) -> None:
    form = new_form(app)
    form.form_errors.append("Too many tries <now>.")
    html = draw(app, "{{ forms.errors(form) }}", form)
    assert 'role="alert"' in html
    assert "Too many tries &lt;now&gt;." in html


def test_hidden_fields_have_no_ids(app: Flask) -> None:
    with app.test_request_context("/"):
        html = render_template_string(
            FORMS + "{{ forms.hidden(form) }}{{ forms.hidden(form) }}", form=SignIn()
        )
    page = parse(html)
    assert len(page.fields) == 2
    assert page.ids == []


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize(("locale", "language"), [("en", "en"), ("zh_CN", "zh-CN")])
def test_document_carries_language_and_theme(app: Flask, theme: str, locale: str, language: str) -> None:
    with app.test_request_context(f"/?l={locale}&t={theme}"):
        html = render_template_string(
            '{% extends "layouts/auth.html" %}{% block title %}T{% endblock %}{% block content %}<h1>T</h1>{% endblock %}'
        )
    page = parse(html, whole=True)
    assert page.language == language
    assert f'data-bs-theme="{theme}"' in html
    assert f'content="{"light dark" if theme == "auto" else theme}"' in html
    assert page.title == "T · Agent Tools"


def test_shell_offers_account_language_theme_and_sign_out(app: Flask) -> None:
    with app.test_request_context("/profile"):
        html = render_template_string(
            '{% extends "layouts/app.html" %}{% block title %}T{% endblock %}{% block sidebar %}{% endblock %}'
            "{% block content %}<h1>T</h1>{% endblock %}"
        )
    page = parse(html, whole=True)
    assert {form["action"] for form in page.forms} == {
        "/preferences/language",
        "/preferences/theme",
        "/logout",
    }
    assert all(form["method"] == "post" for form in page.forms)
    assert 'href="#sidebar"' in html
    assert "Lin Yue" in html


def test_flashed_messages_are_notes_or_toasts(app: Flask) -> None:
    with app.test_request_context("/"):
        flash("Check <this>.", "error")
        flash("Saved.", "success")
        flash({"text": "Chat deleted.", "undo": "/chat/x/restore"}, "undo")
        html = render_template_string(
            '{% extends "layouts/plain.html" %}{% block title %}T{% endblock %}{% block content %}<h1>T</h1>{% endblock %}'
        )
    notes, toasts = html[: html.index("data-toasts")], html[html.index("data-toasts") :]
    assert "Check &lt;this&gt;." in notes
    assert 'role="alert"' in notes
    assert "Saved." in toasts
    assert 'action="/chat/x/restore"' in toasts
    assert "Saved." not in notes


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 422, 429, 500, 503])
def test_error_page(app: Flask, status: int) -> None:
    problem = SimpleNamespace(
        status=status, title="It broke", sentence="Do <this>.", actions=[("Try again", "/x")]
    )
    with app.test_request_context("/"):
        html = render_template("errors/page.html", problem=problem)
    page = parse(html, whole=True)
    assert page.title == "It broke · Agent Tools"
    assert "Do &lt;this&gt;." in html
    assert ("8f3k2m9q" in html) == (status >= 500)
    assert 'href="/x"' in html


def test_error_page_asks_nothing_of_the_person(tmp_path: Path) -> None:
    """With the session and the database gone, the page must still be drawn."""

    class Broken:
        def __getattr__(self, name: str) -> object:
            raise ConnectionError(name)

    app = make_app(tmp_path, Broken())
    app.secret_key = None
    with app.test_request_context("/"):
        html = render_template(
            "errors/page.html", problem=SimpleNamespace(status=500, title="T", sentence="S", actions=[])
        )
    parse(html, whole=True)


def test_public_pages(anonymous: Flask) -> None:
    folder = Path(anonymous.root_path) / "site" / "templates"
    anonymous.jinja_loader.searchpath.append(str(folder))  # type: ignore[union-attr]
    for name, context in {
        "site/home.html": {"registration_open": False},
        "site/privacy.html": {"settings": SimpleNamespace(session_idle_minutes=10_080)},
        "site/components.html": {},
    }.items():
        with anonymous.test_request_context("/"):
            html = render_template(name, **context)
        parse(html, whole=True)
        assert ("Create an account" in html) is False
    with anonymous.test_request_context("/"):
        assert "7 days" in render_template(
            "site/privacy.html", settings=SimpleNamespace(session_idle_minutes=10_080)
        )


MAIL = {
    "code": "073914",
    "purpose": "register",
    "minutes": 10,
    "to": "lin.yue@example.com",
    "host": "tools.example.com",
    "asked_at": NOON.isoformat(),
    "happened_at": NOON,
    "timezone": "Asia/Shanghai",
    "event": "new_device",
    "detail": "Firefox <b> on Debian",
}


def mail(app: Flask, name: str, **changes: object) -> str:
    with app.test_request_context("/"):
        return render_template(f"mail/{name}", **(MAIL | changes))


def test_code_by_mail(app: Flask) -> None:
    for part in ("code.html", "code.txt"):
        body = mail(app, part)
        assert "073914" in body
        assert "10 minutes" in body
        assert "19 November 2026, 14:06 (UTC+8)" in body
    assert mail(app, "code.subject.txt").strip() == "Your code to create an account · Agent Tools"
    assert "073914" not in mail(app, "code.subject.txt")
    assert "<" not in mail(app, "code.txt")


@pytest.mark.parametrize("purpose", ["register", "reset_password", "change_email", "something_new"])
def test_each_purpose_has_a_title(app: Flask, purpose: str) -> None:
    title = mail(app, "code.subject.txt", purpose=purpose).strip()
    assert "\n" not in title
    assert title.startswith("Your code")
    assert title.removesuffix(" · Agent Tools") in mail(app, "code.html", purpose=purpose)


@pytest.mark.parametrize(
    "event",
    ["already_registered", "password_changed", "password_reset", "email_changed", "new_device", "other"],
)
def test_each_event_has_its_words(app: Flask, event: str) -> None:
    text, html = mail(app, "notice.txt", event=event), mail(app, "notice.html", event=event)
    title = mail(app, "notice.subject.txt", event=event).strip().removesuffix(" · Agent Tools")
    assert title in text
    assert title in html
    assert "Firefox <b> on Debian" in text
    assert "Firefox &lt;b&gt; on Debian" in html


def test_mail_loads_nothing(app: Flask) -> None:
    for part in ("code.html", "notice.html"):
        body = mail(app, part)
        assert "http" not in body
        assert "<img" not in body
        assert "url(" not in body
        assert 'content="light dark"' in body


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lin Yue", "LY"),
        ("王思远", "王"),
        ("Ångström", "ÅN"),
        ("a", "A"),
        ("Jean Luc de Mer", "JM"),
        ("  ", "?"),
        ("한지민", "한"),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert filters.initials(name) == expected


def test_tint_is_steady() -> None:
    assert filters.tint("x") == filters.tint("x")
    assert {filters.tint(str(n)) for n in range(40)} == set(filters.TINTS)


@pytest.mark.parametrize(
    ("filter_name", "english", "chinese"),
    [
        ("date", "19 Nov 2026", "2026年11月19日"),
        ("day", "19 Nov", "11月19日"),
        ("clock", "14:06", "14:06"),
        ("moment", "19 Nov 2026, 14:06", "2026年11月19日 14:06"),
    ],
)
def test_times_are_in_the_readers_zone_and_language(
    app: Flask, filter_name: str, english: str, chinese: str
) -> None:
    for path, expected in (("/", english), ("/?l=zh_CN", chinese)):
        for moment in (NOON, NOON.replace(tzinfo=None)):
            with app.test_request_context(path):
                html = render_template_string("{{ moment|" + filter_name + " }}", moment=moment)
            assert html == f'<time datetime="2026-11-19T06:06:00+00:00">{expected}</time>'


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", "06:06 (UTC)"), ("Asia/Kolkata", "11:36 (UTC+5:30)"), ("America/St_Johns", "02:36 (UTC-3:30)")],
)
def test_mail_moment_names_the_distance_from_utc(app: Flask, zone: str, expected: str) -> None:
    with app.test_request_context("/"):
        assert filters.mail_moment(NOON, zone) == f"19 November 2026, {expected}"


def test_icon_is_hidden_from_screen_readers(app: Flask) -> None:
    with app.test_request_context("/"):
        html = filters.icon("copy", small=True)
        with pytest.raises(LookupError):
            filters.icon("no-such-icon")
    assert 'class="icon sm" aria-hidden="true"' in html
    assert html.count("icons.svg#i-copy") == 1
