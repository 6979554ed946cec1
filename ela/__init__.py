"""Front ends: transforms of the input that the backbone sees (Error Level Analysis, NPR and SRM residuals).

Each is a NumPy/Pillow reference and a bit-identical TensorFlow graph; `front_ends.py` lists them.
"""
