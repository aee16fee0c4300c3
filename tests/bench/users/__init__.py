"""The list of 100,000 users, beside the admin of Django over the same rows."""
