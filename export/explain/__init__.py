"""Explanations of scores: panels of one picture, attributions of a run, mean heatmaps of a manifest.

What every detector returns (heatmap, overlay, planes) is in `export/inference/`.
"""
