"""Checks of pixels: transformed copies and processing traces such as double JPEG compression.

Run by `data audit --pixels`.
"""
