"""Outgoing mail: an outbox written in the use case's transaction, and senders."""
