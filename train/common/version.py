"""Fauxlens's own version: pyproject.toml reads it from here, runs and bundles record it."""

VERSION = "0.2.0"
