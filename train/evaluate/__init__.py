"""From a table of scores to metrics with intervals: calibration, operating points, curves.

Works for any scores, of Keras or `.tflite`.
"""
