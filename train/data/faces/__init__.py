"""Face detection over a manifest, with a cache by content.

Views with face(k) crop by the eye positions it writes.
"""
