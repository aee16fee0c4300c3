"""Settings as other units use them."""

from webapp.settings.overlay import current_overlay

__all__ = ["current_overlay"]
