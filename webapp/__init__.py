"""Agent Tools: a self-hosted, multi-user web application for working with language models."""
