"""The built-in sample: drawn portraits, real-like and generated-like, that exercise the pipeline offline.

They are stand-ins to see the pipeline work, not faces to learn from.
"""
