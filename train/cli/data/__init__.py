"""The verbs of `fauxlens data`, one file each, and the table of them.

What they share with other verbs on manifests stands in `train/cli/rows.py`.
"""
