"""Language and theme: by account, then by browser, and switched in the page."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.pages import PageClient, read


def test_language_follows_the_browser(client: PageClient) -> None:
    assert read(client.get("/login", headers={"Accept-Language": "zh-CN,zh;q=0.9"})).language == "zh-CN"
    assert read(client.get("/login", headers={"Accept-Language": "zh-TW"})).language in {"zh-CN", "en"}
    assert read(client.get("/login", headers={"Accept-Language": "fi"})).language == "en"


def test_switch_wins_over_the_browser(client: PageClient) -> None:
    response = client.submit("/preferences/language", {"language": "zh_CN", "next": "/login"}, page="/login")
    assert response.status_code == 303
    assert response.location == "/login"
    page = client.get("/login", headers={"Accept-Language": "en"})
    assert read(page).language == "zh-CN"
    assert "登录" in page.text


def test_switch_is_kept_on_the_account(signed_in: PageClient, app: Flask) -> None:
    signed_in.submit("/preferences/language", {"language": "zh_CN"}, page="/profile")
    signed_in.delete_cookie("language")
    assert read(signed_in.get("/profile", headers={"Accept-Language": "en"})).language == "zh-CN"


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_theme_is_set_by_the_server(client: PageClient, theme: str) -> None:
    client.submit("/preferences/theme", {"theme": theme}, page="/login")
    assert f'data-bs-theme="{theme}"' in client.get("/login").text


@pytest.mark.parametrize(("name", "value"), [("language", "xx"), ("theme", '"><script>')])
def test_unknown_choice_is_refused(client: PageClient, name: str, value: str) -> None:
    assert client.submit(f"/preferences/{name}", {name: value}, page="/login").status_code == 422


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:alert(1)",
        "/%0d%0aX: y\r\n",
        "",
    ],
)
def test_next_stays_on_this_origin(client: PageClient, target: str) -> None:
    response = client.submit("/preferences/theme", {"theme": "dark", "next": target}, page="/login")
    assert response.location == "/"


def test_start_page_and_privacy(client: PageClient, signed_in: PageClient) -> None:
    assert client.get("/").status_code == 200
    assert client.get("/privacy").status_code == 200
    assert signed_in.get("/").location == "/chat"


def test_health(client: PageClient) -> None:
    assert client.get("/healthz/live").json == {
        "code": "200",
        "message": "Success",
        "data": {"status": "live"},
    }
    ready = client.get("/healthz/ready").json
    assert ready is not None
    assert ready["data"]["checks"] == {"database": "ok", "disk": "ok", "draining": "ok"}


def test_component_gallery_is_for_developers_only(client: PageClient) -> None:
    assert client.get("/dev/components").status_code == 200
