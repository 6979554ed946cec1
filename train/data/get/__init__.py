"""Download of datasets by their cards: the hubs' clients, archives by URL, unpacking with limits.

Nothing here reads pictures.
"""
