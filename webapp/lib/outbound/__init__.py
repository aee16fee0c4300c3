"""Requests to other servers: only to addresses that may be called, bounded in time and size, to be aborted at once.

`client` is what callers use; `addresses` says which addresses may be called; `connections` joins both to urllib3.
"""
