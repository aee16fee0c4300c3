"""What programs can do with conversations and live answers."""

from webapp.chat.api import conversations, generating, messages
from webapp.chat.api.declaring import routes

ROUTES = (routes, generating.routes)

__all__ = ["ROUTES", "conversations", "messages"]
