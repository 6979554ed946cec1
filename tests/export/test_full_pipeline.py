"""From a trained run to a bundle: what every stage guarantees, on a real trained MobileNet."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ela.front_ends import parse_front_end
from export.artifacts.bundle import Bundle, read_bundle
from export.artifacts.description import CalibrationNote, Description
from export.artifacts.metadata import attach
from export.inference.detector import detect, load_detector
from export.parity.layer_errors import bundle_layers, first_fallen
from export.parity.verify import verify_bundle
from export.quantize.fake_quant import (
    calibrate_ranges,
    fake_quantise,
    freeze_batch_norm,
    load_quantised,
    quantise_run,
    quantised_backbone,
)
from export.quantize.states import load_states
from export.release import make_variants as making
from export.release.evaluate import evaluate_models
from export.release.pipeline import export_run
from export.runtimes.litert import open_converted
from export.runtimes.registry import RUNTIMES
from export.tflite.checks import Requirements, check_detector, inspect
from export.tflite.convert import GraphParts, compose, convert
from train.common.errors import ExportError, TrainError
from train.common.own_files import EXPORTED, REPORT, foreign_file, in_folder
from train.data.manifest import Manifest, read_manifest, write_manifest
from train.evaluate.calibration import Calibration, probabilities
from train.evaluate.scores import read_scores
from train.fit.batches import rows_of, training_batches
from train.fit.loop import load_model
from train.fit.run_folder import Run, has_state, open_run, read_state, scores_path, start_run
from train.fit.scoring import scored_rows
from train.image.decode import decode
from train.model import backbone_of, head_of, predict_logits


@pytest.fixture(scope="module")
def bundle(bundle_path: Path) -> Bundle:
    return read_bundle(bundle_path)


def test_the_small_run_has_learned(trained_run: Run) -> None:
    # The other tests here prove nothing on random weights.
    from sklearn.metrics import roc_auc_score

    scores = read_scores(scores_path(trained_run, "float")).filter(pl.col("seen"))
    assert roc_auc_score((scores["label"] == "fake").to_numpy(), scores["probability"].to_numpy()) > 0.8


@pytest.mark.parametrize("variant", ["qat-int8", "ptq-int8", "dynamic", "float16", "float32"])
@pytest.mark.parametrize("runtime", ["litert", "litert-builtin"])
def test_every_variant_passes_on_every_runtime(bundle: Bundle, variant: str, runtime: str) -> None:
    parity = verify_bundle(bundle, variant=variant, runtime=RUNTIMES[runtime])
    if runtime == "litert-builtin" and variant.endswith("int8"):
        # Other kernels round int8 otherwise, and many scores of so small a network are near its threshold.
        given = RUNTIMES[runtime].call(bundle.variants[variant], bundle.references.views).scores[:, 1]
        moved = np.abs(given - bundle.references.stages[f"tflite/{variant}"])
        assert moved.mean() < 0.02
        assert moved.max() < 0.15
    else:
        assert parity.passed, parity.sentence
    assert [stage.name for stage in parity.stages] == [
        "decode",
        "view",
        "planes",
        "quantising",
        "converting",
        "runtime",
        "heatmap",
    ]


def test_int8_files_are_int8_throughout_and_one_partition(bundle: Bundle) -> None:
    for variant in ("qat-int8", "ptq-int8"):
        facts = check_detector(bundle.variants[variant], variant, Requirements(int8_convolutions=27, partitions=1))
        assert (facts.quantize, facts.dequantize, facts.float_convolutions) == (1, 1, 1)
    sizes = {name: len(data) for name, data in bundle.variants.items()}
    assert sizes["qat-int8"] < sizes["float16"] < sizes["float32"]


def test_grad_cam_of_tf_keras_vis_is_the_closed_form(bundle: Bundle) -> None:
    maps = bundle.references.gradcam["keras-float"]
    scaled = maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-5)
    assert np.abs(scaled - bundle.references.heatmaps["keras-float"]).max() < 1e-4
    assert maps.max() > 0


def test_a_heatmap_is_all_zero_where_nothing_speaks_for_fake(trained_run: Run) -> None:
    model = load_model(trained_run)
    weights, bias = head_of(model)
    front_end = parse_front_end("rgb")
    parts = GraphParts(front_end, backbone_of(model), -np.abs(weights), bias, Calibration(1.0, 0.0), 96)
    view = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), dtype=np.uint8)
    assert not compose(parts)(view)["heatmap"].numpy().any()
    for arithmetic in ("float32", "float16"):
        assert not open_converted(convert(parts, arithmetic))(view).heatmaps.any()


def test_detect_gives_the_score_of_the_bundle(bundle: Bundle, bundle_path: Path, tmp_path: Path) -> None:
    detector = load_detector(bundle_path)
    stored = bundle.references.stages[f"tflite/{bundle.default}"]
    for index, data in enumerate(bundle.references.pictures[:8]):
        path = tmp_path / f"{index}.jpg"
        path.write_bytes(data)
        assert detect(detector, decode(path)).probability == stored[index]


def test_calibration_reaches_ranges_that_follow_the_data(trained_run: Run) -> None:
    store = trained_run.store()
    rows = rows_of(store, trained_run.recipe, "train")
    classifier = load_model(trained_run)
    model = fake_quantise(classifier)
    statistics = [w.numpy() for w in classifier.weights if "moving" in w.name]
    batches = training_batches(
        store,
        rows,
        front_end=parse_front_end("rgb"),
        settings=trained_run.recipe.augment,
        batch_size=16,
        seed=(0,),
    )
    calibrate_ranges(model, list(batches), 0.85)
    highest = {w.name: float(w.numpy()) for w in model.weights if w.name.endswith("max:0") and w.shape.rank == 0}
    # tfmot starts every activation range at +-6; ReLU6 features of a trained net use less in most layers.
    assert len(highest) >= 27
    assert sum(value < 5.9 for value in highest.values()) > len(highest) / 2
    # Whatever the pictures hold, the input has one int8 step a grey level.
    ends = sorted(float(w.numpy()) for w in model.weights if w.name.startswith("quantize_layer") and w.shape.rank == 0)
    assert np.float32(-128 / 127.5) in ends
    assert np.float32(127 / 127.5) in ends
    freeze_batch_norm(model, False)
    after = [w.numpy() for w in model.weights if "moving" in w.name]
    assert all(np.array_equal(a, b) for a, b in zip(statistics, after, strict=True))
    from tensorflow_model_optimization.python.core.quantization.keras import quant_ops

    assert quant_ops.MovingAvgQuantize.__name__ == "MovingAvgQuantize", "the patch outlived the calibration"


def test_saved_int8_states_score_as_they_did(trained_run: Run) -> None:
    store = trained_run.store()
    at = {path: row for row, path in enumerate(store.manifest.frame["path"])}
    for state in ("ptq", "qat"):
        scores = read_scores(scores_path(trained_run, state)).head(16)
        views = store.pixels[[at[path] for path in scores["path"]]]
        logits = predict_logits(load_quantised(trained_run, state), views)
        found = probabilities(read_state(trained_run, state).calibration, logits)
        assert np.abs(found - scores["probability"].to_numpy()).max() < 0.05
        assert np.abs(found - scores["probability"].to_numpy()).mean() < 0.005


def test_an_ela_detector_is_exact_up_to_the_backbone(trained_run: Run) -> None:
    # The weights are those of rgb: what matters here is the graph, file to planes to int8 in one partition.
    front_end = parse_front_end("ela(90)")
    model = load_quantised(trained_run, "ptq")
    weights, bias = head_of(model)
    size = trained_run.view.size
    rgb = GraphParts(parse_front_end("rgb"), quantised_backbone(model), weights, bias, Calibration(1.0, 0.0), size)
    ela = GraphParts(front_end, rgb.backbone, weights, bias, Calibration(1.0, 0.0), size)
    views = np.asarray(trained_run.store().pixels[:12])
    fed = open_converted(convert(rgb, "int8"))(front_end.planes(views))
    whole = convert(ela, "int8")
    inside = open_converted(whole)(views)
    assert np.array_equal(fed.scores, inside.scores)
    assert np.array_equal(fed.heatmaps, inside.heatmaps)
    assert inspect(whole).partitions == 1


def test_evaluating_a_file_equals_the_scores_of_its_export(bundle_path: Path, trained_run: Run, tmp_path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    manifest = trained_run.manifest_path
    found = evaluate_models([bundle_path.parent / "qat-int8.tflite"], manifest, tmp_path / "report")
    scores = read_scores(scores_path(trained_run, "qat").parent / "qat-int8.csv")
    test = scores.filter(pl.col("seen") & (pl.col("split") == "test"))
    expected = roc_auc_score((test["label"] == "fake").to_numpy(), test["probability"].to_numpy())
    assert found.evaluations[0].overall.auc.value == pytest.approx(expected)
    unseen = {group.name: group.seen for group in found.evaluations[0].generators}
    assert unseen == {"gan-like": True, "diffusion-like": False}


def test_a_run_is_evaluated_on_pictures_of_others(trained_run: Run, tmp_path: Path) -> None:
    # Nothing that the recipe names is in this manifest but the word "camera", from a source it never saw.
    own = trained_run.manifest()
    foreign = own.frame.filter(pl.col("generator") != "gan-like").with_columns(source=pl.lit("elsewhere"))
    paths = [Path(os.path.relpath(own.picture_path(path), tmp_path)).as_posix() for path in foreign["path"]]
    manifest = Manifest(foreign.with_columns(path=pl.Series(paths)), tmp_path)
    write_manifest(manifest, tmp_path / "foreign.csv")
    found = evaluate_models([trained_run.folder], tmp_path / "foreign.csv", tmp_path / "report").evaluations[0]
    assert [(group.name, group.seen) for group in found.generators] == [("diffusion-like", False)]
    assert [(source.name, source.seen) for source in found.real_sources] == [("elsewhere", False)]
    assert found.real_sources[0].called.n == foreign.filter(pl.col("label") == "real").height


def test_a_killed_quantising_leaves_no_old_calibration_beside_new_weights(
    trained_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trained_run.folder.parent / "copy-killed"
    shutil.copytree(trained_run.folder, folder)
    try:
        run = open_run(folder)

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("export.quantize.fake_quant.quantise", killed)
        with pytest.raises(KeyboardInterrupt):
            quantise_run(run)
        assert [has_state(run, name) for name in ("float", "ptq", "qat")] == [True, False, False]
    finally:
        shutil.rmtree(folder)


def test_models_of_different_views_are_not_evaluated_side_by_side(
    trained_run: Run, bundle: Bundle, bundle_path: Path, tmp_path: Path
) -> None:
    import dataclasses

    from export.artifacts.bundle import LINEAGE

    assert "qat-int8" in LINEAGE
    state = load_states(trained_run)["float"]
    other = dataclasses.replace(bundle.descriptions["float32"], view="upright|resize(96)")
    path = tmp_path / "other.tflite"
    path.write_bytes(attach(convert(state.parts, "float32"), other))
    with pytest.raises(TrainError, match="different views"):
        evaluate_models([bundle_path, path], trained_run.manifest_path, tmp_path / "report")


def test_an_unfinished_run_is_not_exported(trained_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run = start_run(folder, trained_run.recipe, trained_run.manifest_path, read_manifest(trained_run.manifest_path))
    for step in (lambda: export_run(run, tmp_path / "out"), lambda: quantise_run(run)):
        with pytest.raises(TrainError, match="has no finished float state"):
            step()
    assert not (tmp_path / "out").exists()


def test_a_run_without_its_int8_weights_says_so(trained_run: Run, tmp_path: Path) -> None:
    folder = trained_run.folder.parent / "copy-without-int8"
    shutil.copytree(trained_run.folder, folder)
    try:
        (folder / "quantized" / "qat.h5").unlink()
        with pytest.raises(ExportError, match="has no qat weights"):
            load_states(open_run(folder))
    finally:
        shutil.rmtree(folder)


def test_the_table_of_variants_stands_beside_the_bundle_and_in_its_card(
    bundle: Bundle, bundle_path: Path, trained_run: Run
) -> None:
    from sklearn.metrics import roc_auc_score

    assert foreign_file(in_folder(bundle_path.parent, EXPORTED)) is None
    assert foreign_file(in_folder(bundle_path.parent / "report", REPORT)) is None
    table = json.loads((bundle_path.parent / "variants.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in table["variants"]}
    assert set(rows) == set(bundle.variants)
    assert table["default"] == bundle.default
    assert f"`{bundle.default}` is the default: " in bundle.card
    assert all(f"| {name} | {row['bytes']:,} |" in bundle.card for name, row in rows.items())
    for name, row in rows.items():
        assert [latency["threads"] for latency in row["latency"]] == [1, 2]
        if name != "dynamic":  # XNNPACK takes no depthwise convolution of its arithmetic.
            assert row["partitions"] == (2 if name == "float16" else 1)
    assert rows["float32"]["heatmaps"]["cosine_mean"] == pytest.approx(1)
    assert rows["float32"]["against_float"]["balanced"]["value"] == 0
    scores = read_scores(trained_run.folder / "scores" / "dynamic.csv")
    test = scores.filter(pl.col("seen") & (pl.col("split") == "test"))
    expected = roc_auc_score((test["label"] == "fake").to_numpy(), test["probability"].to_numpy())
    assert rows["dynamic"]["auc"]["value"] == pytest.approx(expected)


def test_no_layer_falls_off_between_keras_and_tflite(bundle: Bundle, trained_run: Run) -> None:
    errors = bundle_layers(bundle, "qat-int8", trained_run)
    layers = [error.name for error in errors if error.name.startswith("backbone/") and error.name != "backbone/input"]
    assert len(layers) == 27
    assert layers[0] == "backbone/conv1_relu"
    assert first_fallen(errors) is None
    other = replace(bundle.descriptions["qat-int8"], calibration=CalibrationNote(1.0, 0.0))
    foreign = replace(bundle, descriptions={**bundle.descriptions, "qat-int8": other})
    with pytest.raises(ExportError, match="is not the run that qat-int8 was exported from"):
        bundle_layers(foreign, "qat-int8", trained_run)


def test_a_front_end_spoiled_by_an_arithmetic_is_left_out_or_refused(
    trained_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = load_states(trained_run)
    store = trained_run.store()
    rows = scored_rows(store, trained_run).head(16)
    said: list[str] = []
    monkeypatch.setattr(making, "wrong_planes", lambda tflite, text, views, name: 0.25 if "16" in name else 0.0)
    monkeypatch.setattr(making, "write_scores", lambda scores, path: None)
    made = making.make_variants(trained_run, store, rows, states["float"].seen, {"float": states["float"]}, said.append)
    assert [one.name for one in made] == ["float32", "dynamic"]
    assert "leaving out float16: 25.00% of its front end's planes are not those of the reference" in said
    monkeypatch.setattr(making, "wrong_planes", lambda *_: 0.25)
    with pytest.raises(ExportError, match=r"float32: 25\.00% of the planes of its front end rgb"):
        making.make_variants(trained_run, store, rows, states["float"].seen, {"float": states["float"]}, said.append)


def test_description_says_what_was_seen(bundle: Bundle, trained_run: Run) -> None:
    description = bundle.descriptions[bundle.default]
    assert isinstance(description, Description)
    assert description.generators_seen == ("camera", "gan-like")
    assert description.view == trained_run.view.text
    state = read_state(trained_run, "qat")
    assert bundle.descriptions["qat-int8"].calibration == CalibrationNote(
        state.calibration.scale, state.calibration.bias
    )
    assert description.licences == ("Drawn.",)
