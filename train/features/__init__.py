"""Features of pictures as tables: what a network makes of a manifest's rows, written once and learned from by others.

`export.release.embed` makes them; here is the file format and what is fitted to it.
"""
