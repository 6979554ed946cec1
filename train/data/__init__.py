"""The manifest (one row per image) and its processing: groups, splits, the packed store of views.

The subpackages download, scan, describe and audit datasets.
"""
