"""Does a runtime reproduce the trained model? References, stages, first mismatch, layer errors, heatmap similarity.

Compares only; never trains.
"""
