"""Labels that disagree with what files say of themselves are found, and marks that alone tell the classes apart."""

from pathlib import Path

import polars as pl
import pytest

from train.data.audit.marks import marks_findings
from train.data.cards.reader import usual_layout
from train.data.scan.scan import scan

GOLDEN = Path(__file__).parents[3] / "golden" / "marks"


def frame(reals: list[str | None], fakes: list[str | None]) -> pl.DataFrame:
    says = [*reals, *fakes]
    return pl.DataFrame(
        {
            "path": [f"{number}.png" for number in range(len(says))],
            "label": ["real"] * len(reals) + ["fake"] * len(fakes),
            "mark_says": says,
            "mark": [f"mark {one}" if one else None for one in says],
        },
        schema=dict.fromkeys(("path", "label", "mark_says", "mark"), pl.String),
    )


def test_reals_that_say_they_are_ai_fail_the_audit() -> None:
    (found,) = marks_findings(frame(["ai", *[None] * 29], [None] * 30))
    assert found.severity == "failure"
    assert found.sentence == "1 of 30 pictures labelled real say that AI made them, the first so: mark ai"
    assert found.examples == (("0.png",),)


def test_fakes_that_name_a_camera_are_a_note() -> None:
    (found,) = marks_findings(frame([None] * 30, ["camera", *[None] * 29]))
    assert (found.severity, found.topic) == ("note", "marks")


@pytest.mark.parametrize(
    ("marked", "severity"), [(30, "warning"), (15, "warning"), (14, "note"), (3, "note"), (2, None)]
)
def test_marks_of_one_class_alone(marked: int, severity: str | None) -> None:
    found = marks_findings(frame([None] * 30, ["ai"] * marked + [None] * (30 - marked)))
    assert [one.severity for one in found] == ([severity] if severity else [])
    if severity == "warning":
        assert f"0% of the reals and {marked / 30:.0%} of the fakes say that AI made them" in found[0].sentence


def test_without_marks_nothing_is_said() -> None:
    assert marks_findings(frame([None], [None]).drop("mark_says", "mark")) == ()
    assert marks_findings(frame([None] * 9, [None] * 9)) == ()


def test_a_scan_keeps_what_files_say_and_none_says_nothing(tmp_path: Path) -> None:
    places = {
        "real/camera.jpg": "camera.jpg",
        "real/plain.jpg": "no-mark.jpg",
        "real/wrong.png": "a1111.png",
        "fake/comfy/a.png": "comfyui.png",
    }
    for place, name in places.items():
        (tmp_path / "data" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / place).write_bytes((GOLDEN / name).read_bytes())
    for _ in range(2):
        manifest, _ = scan(tmp_path / "data", usual_layout(), manifest_path=tmp_path / "data.csv")
        said = dict(manifest.frame.select("path", "mark_says").iter_rows())
        assert said == {
            "data/real/camera.jpg": "camera",
            "data/real/plain.jpg": None,
            "data/real/wrong.png": "ai",
            "data/fake/comfy/a.png": "ai",
        }
    assert "1 of 3 pictures labelled real" in marks_findings(manifest.frame)[0].sentence
    (tmp_path / "data/real/wrong.png").unlink()
    (tmp_path / "data/real/camera.jpg").unlink()
    (tmp_path / "data/fake/comfy/a.png").write_bytes((GOLDEN / "no-mark.png").read_bytes())
    manifest, _ = scan(tmp_path / "data", usual_layout(), manifest_path=tmp_path / "data.csv", trust="nothing")
    assert "mark_says" not in manifest.frame.columns
