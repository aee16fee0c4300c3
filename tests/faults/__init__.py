"""Faults made to happen to whole programs: databases, Redis, mail servers, disks, processes."""
