"""From a table of scores to numbers with intervals: calibration, operating points, metrics, curves.

It evaluates anything that gives scores, Keras or `.tflite`.
"""
