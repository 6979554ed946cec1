"""The commands of `fauxlens data`, one file each, and the table of them.

What they share with other commands on manifests is in `train/cli/rows.py`.
"""
