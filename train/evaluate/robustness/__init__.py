"""How scores withstand corruptions (compression, size, blur, noise): applied to decoded pictures, then evaluated.

Augmentation during training is elsewhere (`train/fit/augment.py`).
"""
