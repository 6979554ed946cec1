"""From one picture file to preprocessed uint8 [S, S, 3]: the same for training, detection, Kotlin and JavaScript.

Independent of datasets and models; needs NumPy and Pillow only.
"""
