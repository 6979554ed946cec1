"""From a quantised run to a release: variants, bundle, model card; and the evaluation of detector files.

This package calls most of the others.
"""
