"""Benchmarks: `make bench`, or `python -m tests.bench [name …]`. Numbers are printed, never asserted."""
