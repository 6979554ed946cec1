"""Is what runs here what was trained? References, stages, the first mismatch, layer errors, heatmap similarity.

It compares; it never runs a training.
"""
