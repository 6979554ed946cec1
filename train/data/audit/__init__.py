"""Can scores on this manifest be trusted? File statistics, metadata baseline, duplicates, findings, page.

Checks that need decoded pixels are in `pixels/`.
"""
