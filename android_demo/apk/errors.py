"""The one error of this program."""


class ApkError(Exception):
    """One sentence for the person at the command line: what is wrong, where, and what to do about it."""
