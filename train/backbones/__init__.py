"""The backbone networks: a table of their properties, and their construction without top layers.

Independent of recipes, pictures and detectors; `train.model` adds the head.
"""
