"""Adapters, one a file."""
