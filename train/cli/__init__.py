"""The commands of data, audit and compare, and how all commands print tables, progress and errors.

Heavy imports happen inside the commands.
"""
