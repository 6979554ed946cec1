"""What ships and how it is read back: detector file, bundle, checksum, metadata, description.

NumPy only, no TensorFlow.
"""
