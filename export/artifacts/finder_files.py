"""The face finder in a bundle: three members of format 2, where the detector's view has face(k).

face_finder/short_range.tflite   the network that looks first
face_finder/full_range.tflite    the network of the second look
face_finder/LICENSE              where they are from, then their licence
"""

from train.common.errors import DataError, ExportError
from train.image.face_finder.finder import NAME
from train.image.face_finder.networks import LICENCE, NETWORKS, ORIGIN, checked_file, shipped_file
from train.image.view import parse_view

FOLDER = "face_finder"


def finder_record(view: str) -> dict[str, str] | None:
    """Return what fauxlens.json says of the face finder: its name and its files' SHA-256; None without face(k)."""
    if not parse_view(view).needs_eyes:
        return None
    return {"name": NAME} | {network.name: network.sha256 for network in NETWORKS}


def finder_members(view: str) -> dict[str, bytes]:
    """Return what a bundle of a detector with this view carries, by name: nothing where no face is looked for.

    Raises ExportError where this installation's own files are missing or others.
    """
    try:
        if not parse_view(view).needs_eyes:
            return {}
        return {
            **{f"{FOLDER}/{network.name}.tflite": shipped_file(network) for network in NETWORKS},
            f"{FOLDER}/LICENSE": ORIGIN.read_bytes() + b"\n" + LICENCE.read_bytes(),
        }
    except (DataError, OSError) as error:
        raise ExportError(f"The bundle needs the face finder, and {error}") from error


def take_finder(members: dict[str, bytes], view: str, name: str) -> None:
    """Take the face finder's members out of a bundle of format 2 and check them; `name` is what errors call the bundle.

    Raises ExportError where one is missing or is not the file that this Fauxlens finds faces with.
    """
    if not parse_view(view).needs_eyes:
        return
    for member in (*(f"{FOLDER}/{network.name}.tflite" for network in NETWORKS), f"{FOLDER}/LICENSE"):
        if member not in members:
            raise ExportError(
                f"{name} has the view {view} and lacks the face finder's member {member}; export it again."
            )
    for network in NETWORKS:
        member = f"{FOLDER}/{network.name}.tflite"
        try:
            checked_file(network, members.pop(member), f"{name}: {member}")
        except DataError as error:
            raise ExportError(str(error)) from error
    members.pop(f"{FOLDER}/LICENSE")
