"""Dataset cards: TOML that says which file of a folder has which label, generator, source, split and group.

`reader.py` parses them, `registry.py` finds them by name.
"""
