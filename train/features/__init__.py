"""Features of pictures as tables: what a network computes for a manifest's rows, stored for other models.

`export.release.embed` makes them; here are the file format and the models fitted to it.
"""
