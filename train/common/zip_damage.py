"""What the standard library raises where a ZIP archive is damaged, encrypted or packed by an unknown method."""

import lzma
import struct
import zipfile
import zlib

ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    struct.error,
    # A method of packing that Python does not know, and an entry that needs a password.
    NotImplementedError,
    RuntimeError,
)
"""For `except`; reading bytes also raises OSError and, on numbers that do not fit together, ValueError."""
