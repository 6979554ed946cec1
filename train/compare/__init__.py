"""Comparison of runs: trained-on x tested-on, and paired differences over seeds.

Reads run folders and reports; trains nothing.
"""
