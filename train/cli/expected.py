"""Sentences for what no verb can help: the disk, the memory, an extra that is not installed."""

import errno
import os

from train.common.extras import missing_sentence

NO_MEMORY = "There is not enough memory: close other programs or raise the memory limit, and run the command again."
_LOOP = "Symlink loop from "
"""How `Path.resolve` of Python 3.11 and 3.12 begins, instead of an OSError."""


def expected_sentence(error: BaseException) -> str | None:
    """What a person is told of an error that is no fault of Fauxlens; None of one that is."""
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and _unmapped(error)):
        return NO_MEMORY
    if isinstance(error, ModuleNotFoundError):
        return missing_sentence(error.name)
    if isinstance(error, RuntimeError) and str(error).startswith(_LOOP):
        return f"{str(error)[len(_LOOP) :].strip(chr(39))} is a link that leads to itself: name what it should lead to."
    if not isinstance(error, OSError) or error.errno is None:
        return None
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({name or 'while writing'}): free some space and run the command again."
    if error.errno == errno.ENOMEM:
        return NO_MEMORY
    if error.errno in (errno.EMFILE, errno.ENFILE):
        # It would name whatever came next, often a module of a library.
        return "Too many files are open: raise the limit (ulimit -n), and run the command again."
    if error.errno == errno.EFBIG:
        return (
            f"{name or 'The output file'} exceeds the file size limit: raise it (ulimit -f), or write to another disk."
        )
    return f"{name or 'A file'}: {error.strerror}; check the path and its permissions."


def _unmapped(error: BaseException | None) -> bool:
    """Whether a library could not be loaded for want of memory, in the words of the system's loader (dlopen of glibc).

    NumPy puts advice of its own before what the loader said, which stays as the cause.
    """
    while error is not None:
        if "failed to map segment" in str(error) or "annot allocate memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
