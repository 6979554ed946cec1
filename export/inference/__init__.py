"""From one picture to a verdict, a heatmap and an overlay.

Needs LiteRT, NumPy and Pillow only.
"""
