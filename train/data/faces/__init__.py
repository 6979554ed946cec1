"""Where faces are: a face finder run over a manifest, with a cache by content.

The eyes it writes are what views with face(k) are cut out by.
"""
