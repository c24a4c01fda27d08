"""The process that sends: its schedule, its recording, and the pipes to its parent.

`sending` decides when and on which connection; `execution` is one run, `process` the
program, and `child` its parent's side. Imports `plan`, `wire`, `recording` and `run`.
"""
