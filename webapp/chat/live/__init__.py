"""Answers while they are being written: producers, the journal, feeds for readers, followers, recovery."""
