"""All golden values by file name."""

from pathlib import Path
from typing import Any

from .finding import letterbox_cases, output_cases, picture_cases
from .looking import square_cases, synthetic_views, views_of_pictures
from .summaries import summaries
from .texts import descriptions, descriptions_of_format_1, json_texts, view_texts
from .verdicts import decisions, heat, verdicts


def golden_values(pictures: Path) -> dict[str, Any]:
    """The cases of every golden JSON file by its name; `pictures` is the folder of the drawn ones."""
    return {
        "views.json": views_of_pictures(pictures),
        "synthetic.json": synthetic_views(),
        "squares.json": square_cases(),
        "view_texts.json": view_texts(),
        "json_texts.json": json_texts(),
        "descriptions.json": descriptions_of_format_1(),
        "descriptions_2.json": descriptions(),
        "verdicts.json": verdicts(),
        "decisions.json": decisions(),
        "heat.json": heat(),
        "marks/summaries.json": summaries(),
        "face_finder/letterbox.json": letterbox_cases(),
        "face_finder/outputs.json": output_cases(),
        "face_finder/pictures.json": picture_cases(pictures.parent),
    }
