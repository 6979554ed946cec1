"""From a folder and its card to a manifest, with a cache of what each file holds.

Files that cannot be used are listed with the reason.
"""
