"""The dashboard's pages of tasks: lists, one task, one run with its live log, and the forms."""

from webapp.tasks.admin import acts, editing, listing, runs, stream
from webapp.tasks.admin.blueprint import blueprint

__all__ = ["acts", "blueprint", "editing", "listing", "runs", "stream"]
