"""The manifest (one row an image) and what is made of it: groups, splits, the packed store of views.

The packages inside get, scan, describe and audit datasets.
"""
