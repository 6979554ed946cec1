"""What `make.py` writes; a package of its own, for `tests` is also the name of a package that others install."""
