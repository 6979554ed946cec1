"""Latency, cold start and memory of a bundle's detectors, and of the same network in other engines.

Other engines are timed only if they give the same scores.
"""
