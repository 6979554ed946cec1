"""Robustness of scores to corruptions (compression, size, blur, noise) of the decoded pictures.

Augmentation during training is in `train/fit/augment.py`.
"""
