"""The yardstick: the admin of Django as it comes, over the table of users; `python -m` makes its own tables.

The list is told what ours shows: the same columns, the same order, fifty rows, filters and a search.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import urlsplit

import django
import pymysql
from django.conf import settings
from django.core.wsgi import get_wsgi_application

NAME, PASSWORD = "bench", "correct horse battery"


def _database(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.partition("///")[2]}
    pymysql.version_info = (2, 2, 7, "final", 0)  # Django asks for a version of mysqlclient
    pymysql.install_as_MySQLdb()
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": parts.path[1:],
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": "root",
        "CONN_MAX_AGE": None,  # connections are kept, as ours are
    }


settings.configure(
    SECRET_KEY="bench" * 10,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": _database(os.environ["BENCH_DATABASE"])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    STATIC_URL="/static/",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
django.setup()

from django.contrib import admin  # noqa: E402  # only after setup
from django.db import models  # noqa: E402
from django.urls import path  # noqa: E402


class Person(models.Model):
    """A row of our table of users; `id` is a number there too."""

    display_name = models.CharField(max_length=80)
    username = models.CharField(max_length=40)
    email = models.CharField(max_length=254)
    state = models.CharField(max_length=16)
    verified_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        """The table is there already."""

        app_label = "admin"
        managed = False
        db_table = "users"


@admin.register(Person)
class PersonAdmin(
    admin.ModelAdmin[Person] if hasattr(admin.ModelAdmin, "__class_getitem__") else admin.ModelAdmin
):
    """The list as ours has it; all that is not said is Django's default."""

    list_display = ("display_name", "username", "email", "state", "verified_at", "last_seen_at", "created_at")
    list_filter = ("state",)
    search_fields = ("display_name", "username", "email")
    ordering = ("-last_seen_at", "-id")
    list_per_page = 50


urlpatterns = [path("admin/", admin.site.urls)]
application = get_wsgi_application()


def make_tables() -> None:
    """Make the tables of Django beside ours, and somebody who may sign in."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.create_superuser(NAME, password=PASSWORD)


if __name__ == "__main__":
    sys.modules[settings.ROOT_URLCONF] = sys.modules[__name__]
    make_tables()
