"""What administrators' programs can do with tasks and their runs."""

from webapp.tasks.api import runs, tasks
from webapp.tasks.api.declaring import routes

__all__ = ["routes", "runs", "tasks"]
