"""From Keras to a TFLite flatbuffer, and the contents of flatbuffers: names, operators, checks, partitions.

Reading needs no TensorFlow; converting does.
"""
