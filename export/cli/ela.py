"""The verb `fauxlens ela`: error level pictures beside the originals, or the planes that a detector looks at."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from train.cli.outputs import OUTPUT_FOLDER
from train.cli.terminal import Json, bar, print_json, print_lines, verb
from train.common.errors import DataError, ElaError, ExportError, TrainError

if TYPE_CHECKING:
    from ela.setting import Ela
    from export.inference.ela_pictures import Draw, Drawn, LevelDrawn, PlanesDrawn
    from export.inference.planes import PreprocessingSpec

SUFFIX = ".ela.png"
# Each process holds the largest picture that is read, 120 megapixels, several times over.
_MOST_WORKERS = 4


@verb(ElaError, DataError, TrainError, ExportError)
def ela_verb(
    files: Annotated[list[Path], typer.Argument(help="Pictures and folders.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", show_default="next to each picture", help="Output folder; subfolders are kept."),
        OUTPUT_FOLDER,
    ] = None,
    quality: Annotated[int | None, typer.Option(show_default="90", help="JPEG quality, 1 to 100.")] = None,
    sampling: Annotated[str | None, typer.Option(show_default="420", help="Chroma sampling, 420 or 444.")] = None,
    gain: Annotated[
        str | None,
        typer.Option(
            show_default="auto", help="`auto` scales each picture's maximum to white; 1 to 255 is one factor for all."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="A .tflite or a bundle: draw this detector's input planes side by side instead."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw Error Level Analysis as NAME.ela.png next to each picture."""
    from export.inference.ela_pictures import NotDrawn, draw_files, level_drawer, planes_drawer
    from train.common.own_files import drawing_places
    from train.image.files import find_picture_files

    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    draw: Draw
    about: dict[str, Any]
    if model is None:
        setting, to_white = _setting(quality, sampling, gain)
        draw = level_drawer(setting, to_white=to_white)
        about = {"quality": setting.quality, "sampling": setting.sampling, "gain": "auto" if to_white else setting.gain}
    else:
        if any(option is not None for option in (quality, sampling, gain)):
            raise ExportError("A detector has its own quality, sampling and gain: omit these options with --model.")
        preprocessing = _preprocessing(model)
        draw = planes_drawer(preprocessing)
        about = {"detector": str(model), "view": preprocessing.view.text, "planes": preprocessing.parts}
    pictures = find_picture_files(files, SUFFIX, out)
    places = drawing_places([one.target for one in pictures], (one.source for one in pictures))
    for sentence in places.kept:
        print_lines(sentence, err=True)
    pictures = tuple(replace(one, target=target) for one, target in zip(pictures, places.targets, strict=True))
    with bar("drawing", as_json) as progress:
        drawn = draw_files(pictures, draw, workers=workers, on_progress=progress)
    failed = [one.error for one in drawn if isinstance(one, NotDrawn)]
    if as_json:
        print_json({**about, "pictures": [_record(one) for one in drawn]})
    else:
        for one in drawn:
            if not isinstance(one, NotDrawn):
                print_lines(*_lines(one))
    for sentence in failed:
        print_lines(sentence, err=True)
    if failed:
        raise typer.Exit(2)


def _setting(quality: int | None, sampling: str | None, gain: str | None) -> "tuple[Ela, bool]":
    """The settings of an error level, and whether each picture gets a gain of its own; ElaError for wrong ones."""
    from ela.setting import MAX_GAIN, Ela

    given: dict[str, Any] = {"quality": quality, "sampling": sampling}
    if gain is not None and gain != "auto":
        if not re.fullmatch("[0-9]{1,9}", gain):
            raise ElaError(f"--gain {gain!r} is not known: give auto or a whole number from 1 to {MAX_GAIN}.")
        given["gain"] = int(gain)
    return Ela(**{name: value for name, value in given.items() if value is not None}), "gain" not in given


def _preprocessing(model: Path) -> "PreprocessingSpec":
    from export.artifacts.metadata import read_description
    from export.inference.detector import read_detector
    from export.inference.planes import preprocessing_of

    preprocessing = preprocessing_of(read_description(read_detector(model), str(model)), str(model))
    if preprocessing.parts == ("rgb",):
        raise ExportError(f"{model} has the front end rgb, so there are no planes to draw: omit --model.")
    return preprocessing


def _record(one: "Drawn") -> dict[str, Any]:
    from export.inference.ela_pictures import LevelDrawn, NotDrawn

    if isinstance(one, NotDrawn):
        return {"path": str(one.file.source), "error": one.error}
    levels = {}
    if isinstance(one, LevelDrawn):
        levels = {"gain": one.gain, "max_level": one.largest, "mean_level": one.mean}
    sides = {"width": one.width, "height": one.height}
    return {"path": str(one.file.source), "ela": str(one.file.target), **levels, **sides, "notes": one.notes}


def _lines(one: "LevelDrawn | PlanesDrawn") -> list[str]:
    from export.inference.ela_pictures import LevelDrawn

    levels = ""
    if isinstance(one, LevelDrawn):
        levels = f" (gain {one.gain:.3g}, largest level {one.largest}, mean {one.mean:.2f})"
    notes = [f"  note: {note}" for note in one.notes]
    return [f"{one.file.source}: {one.file.target}{levels}", *notes]
