"""Shared basics: exceptions, atomic files, process pool, TensorFlow import, SVG, text in tables.

Imports nothing else of the project, and TensorFlow only inside functions.
"""
