"""What every package uses: exceptions, atomic files, the process pool, the TensorFlow entry point, SVG, text in tables.

Imports nothing of ours, and TensorFlow only inside functions.
"""
