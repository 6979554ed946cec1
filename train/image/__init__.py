"""One picture file in, preprocessed uint8 [S, S, 3] out: the contract of training, detection, Kotlin and JavaScript.

Knows no dataset and no model; needs NumPy and Pillow only.
"""
