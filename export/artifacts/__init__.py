"""Reading and writing of what is published: detector file, bundle, checksum, metadata, description.

NumPy only, no TensorFlow.
"""
