"""The audit log: who did what, when, from where; written with the change it tells of, never changed after."""
