"""Models that are not ours: `run_foreign.py` starts a process of its own for one, `worker.py` is that process.

Nothing but arrays of numbers comes back; what they are compared with is said in `export/parity` and `export/release`.
"""
