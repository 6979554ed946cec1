"""`fauxlens demo`: the full pipeline on the built-in sample, and the field's main finding in miniature."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from export.artifacts.bundle import read_bundle
from export.artifacts.description import BALANCED
from export.inference.detect_files import Settings, detect_input
from export.inference.inputs import Input
from export.inference.lines import all_lines
from export.parity.verify import Parity, verify_bundle
from export.quantize.fake_quant import quantise_run
from export.release.pipeline import Exported, export_run
from export.runtimes.registry import RUNTIMES
from train.common.own_files import drawing_places
from train.common.progress import LogCallback
from train.data.audit.audit import Audit, audit
from train.data.cards.registry import find_card
from train.data.manifest import read_manifest, write_manifest
from train.data.sample.make import make_sample
from train.data.scan.scan import scan
from train.evaluate.evaluation import Evaluation
from train.evaluate.report.build import Reported
from train.fit.pipeline import begin, complete, resume
from train.fit.run_folder import Run, has_state
from train.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "train" / "recipes"

Bar = Callable[[str], AbstractContextManager[Callable[[int, int, str], None]]]


@dataclass(frozen=True)
class Shown:
    """All that the demo made: the audit, both trainings' evaluations, the export, its parity and one verdict."""

    audit: Audit
    evaluations: tuple[Evaluation, ...]
    exported: Exported
    parity: Parity
    verdict: tuple[str, ...]


def run_demo(folder: Path, bar: Bar, log: LogCallback) -> Shown:
    """Run the pipeline in `folder`: sample, audit, two trainings, int8, `.tflite`, references, parity, report, a
    verdict.

    `bar` opens a progress bar with a label, `log` gets a line a step. What an earlier demo finished in the same
    folder is used again. Raises whatever stops a step.
    """
    log("1/6  drawing the sample data: simple portraits, not real faces")
    sample, manifest_path = folder / "sample", folder / "manifest.csv"
    if not sample.exists():
        with bar("drawing") as progress:
            make_sample(sample, on_progress=lambda done, total: progress(done, total, ""))
    log("2/6  scanning and auditing it")
    if not manifest_path.exists():
        with bar("scanning") as progress:
            manifest, _ = scan(
                sample,
                find_card("drawn-sample"),
                manifest_path=manifest_path,
                on_progress=lambda done, total: progress(done, total, ""),
            )
        write_manifest(manifest, manifest_path)
    audited = audit(read_manifest(manifest_path))
    log("3/6  training on camera + gan-like, which leaves diffusion-like unseen")
    _, narrow = _train("sample-gan", folder, manifest_path, bar)
    log("4/6  training on camera + gan-like + diffusion-like")
    run, broad = _train("sample-gan-diffusion", folder, manifest_path, bar)
    log("5/6  quantising the second to int8: calibration, then quantisation-aware fine-tuning")
    if not has_state(run, "qat"):
        with bar("quantising") as progress:
            quantise_run(run, on_batch=lambda done: progress(done.batch, done.batches, f" {done.epoch}/{done.epochs}"))
    log("6/6  exporting, comparing every stage with the one before it, and classifying a picture")
    exported = export_run(run, run.folder / "export", log=lambda line: log(f"     {line}"))
    bundle = read_bundle(exported.bundle)
    parity = verify_bundle(bundle, variant=bundle.default, runtime=RUNTIMES["litert"])
    picture = sorted((sample / "fake" / "gan-like").iterdir())[0]
    overlay = drawing_places([folder / f"{picture.name}.heatmap.png"]).targets[0]
    evaluated = detect_input(Settings(exported.bundle, BALANCED), Input(str(picture), picture, overlay=overlay))
    lines = all_lines(evaluated)
    evaluations = (
        replace(narrow.evaluations[0], name="without diffusion"),
        replace(broad.evaluations[0], name="with diffusion"),
        replace(exported.evaluations[-1], name=f"with diffusion, {exported.default}"),
    )
    return Shown(audited, evaluations, exported, parity, tuple(lines.splitlines()))


def closing_lines(shown: Shown, folder: Path) -> tuple[str, ...]:
    """What a person should take home: the finding, the verdict, where everything is, and what to type next."""
    exported = shown.exported
    return (
        "Compare the rows: the first detector never saw diffusion-like pictures, the second did.",
        "",
        *shown.verdict,
        "",
        f"manifest  {folder / 'manifest.csv'}",
        *(f"          {sentence}" for sentence in shown.audit.failures or shown.audit.findings),
        f"bundle    {exported.bundle}",
        f"          default {exported.default}: {exported.why}",
        f"report    {exported.report}",
        f"parity    {shown.parity.sentence}",
        "",
        "next      put your pictures into FOLDER/real and FOLDER/fake/GENERATOR, then",
        "          fauxlens data scan FOLDER",
        "          fauxlens train train/recipes/faces-gan.toml",
    )


def _train(recipe: str, folder: Path, manifest_path: Path, bar: Bar) -> tuple[Run, Reported]:
    settings = read_recipe(RECIPES / f"{recipe}.toml")
    place = folder / recipe
    run = resume(place, settings) if (place / "run.json").exists() else begin(settings, manifest_path, place)
    with bar("training") as progress:
        found = complete(
            run,
            on_batch=lambda done: progress(
                (done.epoch - 1) * done.batches + done.batch, done.epochs * done.batches, f" {done.stage}"
            ),
        )
    return run, found
