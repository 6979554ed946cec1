"""The verb `data merge`: several manifests, or all parts of one whole, become one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from train.cli.data.reconstruct import show_reconstructed
from train.cli.outputs import manifest_file
from train.cli.rows import show_counts
from train.cli.terminal import bar, print_lines, verb
from train.common.errors import DataError, TrainError

if TYPE_CHECKING:
    from train.data.part_files import PartFile


@verb(DataError, TrainError)
def merge_verb(
    manifests: Annotated[
        list[Path], typer.Argument(help="Manifests of several datasets, or all the parts made with --part.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The manifest to write.", show_default="manifest.csv; for parts: in their folder"),
        # Of the parts of an evaluation these are scores.
        manifest_file(lambda given: given["out"] or _place(given["manifests"]), mark=b"path,"),
    ] = None,
) -> None:
    """Merge manifests, or the parts of one. A picture in several manifests gets one group and one split."""
    from train.data.manifest import followed
    from train.data.part_files import is_part, read_all_parts

    place = followed(out or _place(manifests))
    if any(map(is_part, manifests)):
        _merge_parts(read_all_parts(manifests), place, named=out is not None)
    else:
        _merge_manifests(manifests, place)


def _place(named: Sequence[Path]) -> Path:
    """Where the whole goes if no other place is named: beside its parts, else here."""
    from train.common.parts import whole_stem

    stem = whole_stem(named[0])
    return Path("manifest.csv") if stem == named[0].stem else named[0].with_name(f"{stem}.csv")


def _merge_manifests(manifests: Sequence[Path], out: Path) -> None:
    from train.data.manifest import read_manifest, write_manifest
    from train.data.resplit import merge

    merged = merge([read_manifest(one) for one in manifests], out.parent)
    write_manifest(merged, out)
    show_counts(merged.frame, out)


def _merge_parts(parts: "Sequence[PartFile]", out: Path, named: bool) -> None:
    match parts[0].verb:
        case "scan":
            _merge_scan(parts, out)
        case "faces":
            _merge_faces(parts, out)
        case "evaluate":
            _merge_scores(parts, out)
        case "pack" | "reconstruct" as verb:
            if named:
                raise DataError(
                    f"The result of {verb} is written next to its parts, in {parts[0].path.parent}: omit --out."
                )
            (_merge_pack if verb == "pack" else _merge_reconstruct)(parts)


def _merge_scan(parts: "Sequence[PartFile]", out: Path) -> None:
    from train.data.cards.expected_counts import compare_counts
    from train.data.manifest import write_manifest
    from train.data.scan.parts import merge_scan_caches, merge_scan_parts
    from train.data.scan.skipped import write_skipped

    manifest, skipped = merge_scan_parts(parts, out)
    write_manifest(manifest, out)
    listed = write_skipped(skipped, out)
    merge_scan_caches(parts, out)
    show_counts(manifest.frame, out)
    facts = parts[0].facts
    for sentence in compare_counts(facts["card"], facts["expected"], manifest.frame):
        print_lines(sentence)
    if skipped:
        print_lines(f"{len(skipped):,} skipped, listed with reasons in {listed}")


def _merge_faces(parts: "Sequence[PartFile]", out: Path) -> None:
    from train.data.faces.parts import merge_faces_caches, merge_faces_parts
    from train.data.manifest import write_manifest

    manifest = merge_faces_parts(parts, out)
    write_manifest(manifest, out)
    merge_faces_caches(parts, out)
    show_counts(manifest.frame, out)


def _merge_scores(parts: "Sequence[PartFile]", out: Path) -> None:
    from train.evaluate.scores import write_scores
    from train.evaluate.scores_parts import merge_scores_parts

    scores = merge_scores_parts(parts)
    write_scores(scores, out)
    print_lines(f"{scores.height:,} scores -> {out}")


def _merge_pack(parts: "Sequence[PartFile]") -> None:
    from train.data.store_parts import merge_pack_parts

    with bar("joining") as progress:
        store = merge_pack_parts(parts, parts[0].path.parent, progress)
    print_lines(f"{parts[0].facts['rows']:,} pictures in {store}; the parts may be removed")


def _merge_reconstruct(parts: "Sequence[PartFile]") -> None:
    from train.data.reconstruct.parts import merge_reconstruct_parts
    from train.data.reconstruct.reconstruct import MANIFEST
    from train.data.scan.skipped import write_skipped

    made = merge_reconstruct_parts(parts)
    show_reconstructed(made, write_skipped(made.skipped, made.manifest.folder / MANIFEST))
