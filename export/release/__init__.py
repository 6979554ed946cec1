"""From a quantised run to what ships: variants, bundle, model card; and the evaluation of detector files.

This package alone calls most of the others.
"""
