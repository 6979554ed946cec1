"""Latency, cold start and memory of a bundle's detectors, and of the same network in other engines.

Other engines must first give the same scores, then they are timed.
"""
