"""Front ends: what the backbone sees instead of plain RGB (Error Level Analysis, NPR and SRM residuals).

Each one is a NumPy/Pillow reference and a TensorFlow graph that equals it bit for bit; `front_ends.py` lists them.
"""
