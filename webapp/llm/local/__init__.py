"""The embedded model: a small language model in a process of its own, for a first look and for tests.

`supervisor` runs as a process beside the server and keeps `child` alive, which holds the model; `endpoint`
tells the web processes where it listens; `weights` finds and fetches the file; `status` says how it stands.
All but `status` import the standard library only, because they run in processes that should stay small.
"""
