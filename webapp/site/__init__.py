"""Public pages, health, and the developer's pages of the local profile."""
