"""The built-in sample: drawn portraits, real-like and generated-like, to exercise the pipeline offline.

They are not real faces.
"""
