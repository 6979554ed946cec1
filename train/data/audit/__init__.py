"""Can a score on this manifest be believed? File statistics, metadata baseline, duplicates, findings, page.

What needs decoded pixels is in `pixels/`.
"""
