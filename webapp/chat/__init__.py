"""Conversations, messages and live answers."""
