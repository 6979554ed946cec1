"""BlazeFace finds the faces of a picture, by the same files and the same arithmetic on every platform.

Everything but the two networks themselves is defined to the bit, in whole numbers and exactly rounded operations:
letterbox.py (picture -> input tensor), decode.py (output tensors -> faces in whole units of the input square) and
finder.py (those units -> eyes and boxes in pixels of the picture; which network looks when). docs/face-finder.md says
the same without code, for a port.
"""
