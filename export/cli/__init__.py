"""The commands verify, ela, doctor, benchmark and demo.

Heavy imports happen inside the commands.
"""
