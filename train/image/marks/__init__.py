"""Metadata of picture files: C2PA manifests, EXIF, XMP, settings of generators; nothing is executed.

All readers accept malicious bytes and have limits on time and memory; `read.py` is the entry point, docs/marks.md
the specification.
"""
