"""What users and administrators share: passwords, login sessions, e-mailed codes."""
