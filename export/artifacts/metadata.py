"""The standard TFLite metadata of a detector file, and our `fauxlens.json` beside it.

A detector file is `model flatbuffer | zip`: the flatbuffer holds the standard metadata in the buffer named
TFLITE_METADATA; the zip (stored, not compressed, as TFLite asks) holds `labels.txt` and `fauxlens.json` and ends in a
seal over all bytes, so that damage is found before an interpreter meets it.
Format: https://ai.google.dev/edge/litert/conversion/tensorflow/metadata
"""

from export.artifacts.description import LABELS, Description, from_json, to_json
from export.artifacts.seal import digest_of, read_sealed, write_sealed
from export.artifacts.vouched import vouch
from train.common.errors import ExportError

IDENTIFIER = b"TFL3"
DESCRIPTION_FILE = "fauxlens.json"
LABELS_FILE = "labels.txt"


def attach(tflite: bytes, description: Description, *, author: str = "", version: str = "1") -> bytes:
    """Make a detector file of a freshly converted model: add the TFLite metadata and append the associated files.

    The model's own bytes are moved as they are, by a multiple of 16, so every weight keeps its alignment. The same
    input gives the same bytes. Raises ExportError where the file has such metadata already, does not carry outputs
    named `scores` and `heatmap`, or is no TFLite model.
    """
    from export.artifacts.metadata_schema import add_metadata, output_names, write_metadata

    check_identifier(tflite, "The model to seal")
    names = output_names(tflite)
    model = add_metadata(tflite, write_metadata(description, names, author=author, version=version))
    members = {LABELS_FILE: _labels(), DESCRIPTION_FILE: to_json(description).encode("utf-8")}
    sealed = write_sealed(members, prefix=model)
    # Made here, so nobody has to prove it here.
    vouch(digest_of(sealed))
    return sealed


def read_description(tflite: bytes, name: str = "the detector file") -> Description:
    """Read `fauxlens.json` of a detector file after checking its seal; `name` is how errors call the file.

    Raises ExportError where the file is cut short, damaged, not a TFLite model or not made by Fauxlens.
    """
    check_identifier(tflite, name)
    _, members = read_sealed(tflite, name)
    if set(members) != {DESCRIPTION_FILE, LABELS_FILE} or members[LABELS_FILE] != _labels():
        raise ExportError(
            f"{name} does not carry exactly {DESCRIPTION_FILE} and {LABELS_FILE}; make it with `fauxlens export`."
        )
    try:
        return from_json(members[DESCRIPTION_FILE].decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ExportError(f"{name}: {DESCRIPTION_FILE} is not UTF-8; export the detector again.") from error


def check_identifier(tflite: bytes, name: str) -> None:
    """Raise ExportError unless the bytes begin as a TFLite flatbuffer does."""
    if len(tflite) < 64 or tflite[4:8] != IDENTIFIER:
        raise ExportError(f"{name} is not a TFLite model; give a .tflite or a bundle made by `fauxlens export`.")


def _labels() -> bytes:
    return "".join(f"{label}\n" for label in LABELS).encode()
