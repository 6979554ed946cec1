"""Dataset cards: TOML that assigns label, generator, source, split and group to the files of a folder.

`reader.py` parses them, `registry.py` finds them by name.
"""
