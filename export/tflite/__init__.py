"""From Keras to the TFLite flatbuffer, and what a flatbuffer holds: names, operators, checks, partitions.

Reading needs no TensorFlow; converting does.
"""
