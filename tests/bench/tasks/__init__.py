"""What scheduled work costs: claims, runs, lateness, beside plain APScheduler with its jobs in the same database."""
