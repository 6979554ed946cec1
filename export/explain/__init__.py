"""Where a score came from: panels of one picture, attributions of a run, mean heatmaps of a manifest.

What every detector gives by itself (heatmap, overlay, planes) is in `export/inference/`.
"""
