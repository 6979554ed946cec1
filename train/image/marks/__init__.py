"""What a picture file says about itself: manifests, metadata, settings of generators; nothing is executed.

Every reader is bounded in time and memory and takes hostile bytes; `read.py` is the entry, docs/marks.md the rules.
"""
