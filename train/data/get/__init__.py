"""Fetching a dataset by its card: hubs' own clients, archives by address, unpacking with limits.

Nothing here reads pictures.
"""
