"""What programs can ask of models."""

from webapp.llm.api import offers, openai
from webapp.llm.api.openai_answers import problem as openai_problem

ROUTES = (offers.routes, openai.routes)

__all__ = ["ROUTES", "openai_problem"]
