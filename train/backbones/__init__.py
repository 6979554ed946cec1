"""The networks that features come from: one table of what each needs, and how each is built flat, without its top.

Nothing here knows recipes, pictures or detectors; `train.model` puts a head on what is built here.
"""
