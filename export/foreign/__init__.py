"""Third-party models: `run_foreign.py` starts a separate process for one, `worker.py` is that process.

Only arrays of numbers are returned; `export/parity` and `export/release` compare and report them.
"""
