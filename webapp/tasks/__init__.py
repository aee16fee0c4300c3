"""Scheduled work: functions registered by name, tasks that say when, runs that say what came of it."""
