"""Two int8 states from one float model: calibrated only (`ptq`), and fine-tuned with fake quantisation (`qat`).

Both are the same Keras model with tensorflow-model-optimization's fake-quantisation nodes (Jacob et al. 2018), so that
each has a Keras reference to hold the `.tflite` against. `ptq` is post-training quantisation: the representative
dataset sets the activation ranges and no weight moves. `qat` starts there and has to beat it.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from ela.front_ends import parse_front_end
from export.quantize.biases import round_biases
from export.quantize.depthwise import quantise_depthwise_per_channel
from export.quantize.means import align_means
from export.quantize.rewrite import rewritten
from export.quantize.wrap import wrapped
from train.backbones.table import BACKBONES, check_int8
from train.common.errors import ExportError
from train.common.progress import LogCallback
from train.common.tf import load_tensorflow, seed_everything
from train.data.store import Store
from train.fit.batches import Batch
from train.fit.epoch import BatchCallback, batch_reporter, keras_step, learn_epoch, validate_logits
from train.fit.loop import load_model
from train.fit.run_folder import Run, forget_states, read_state, weights_path, working_on
from train.fit.scoring import keras_scorer, score_state
from train.fit.stage_data import gather_stage_data
from train.model import (
    HEAD,
    HIDDEN,
    POOLED,
    backbone_of,
    build_classifier,
    features_layer,
    hidden_of,
    predictor,
    scale_pixels,
)
from train.recipe import Scales
from train.weights import load_weights, save_weights

_FINE_TUNING = 1000  # Keeps its seeds apart from those of the training stages.


def fake_quantise(classifier: Any, depthwise: Scales = "per-channel") -> Any:
    """Copy a float classifier into one whose backbone is fake-quantised and whose head stays float.

    float32 [N, S, S, C] scaled planes in, float32 [N, 1] logit out. Activation ranges are still tfmot's +-6: calibrate
    before use. depthwise: whether depthwise weights have a scale a channel, or one in all as tfmot leaves them.
    """
    tf = load_tensorflow()
    backbone = wrapped(rewritten(backbone_of(classifier)))
    if depthwise == "per-channel":
        quantise_depthwise_per_channel(backbone)
    layers, hidden = tf.keras.layers, hidden_of(classifier)
    if hidden:
        pooled = layers.Flatten(name="flat")(backbone.output)
        for (kernel, _), name in zip(hidden, HIDDEN, strict=True):
            pooled = layers.Dense(kernel.shape[1], activation="relu", name=name)(pooled)
    else:
        pooled = layers.GlobalAveragePooling2D(name=POOLED)(backbone.output)
    # A head that may hold no evidence for "real" (model.head) may gain none in fine-tuning.
    head = layers.Dense(1, name=HEAD, kernel_constraint=classifier.get_layer(HEAD).kernel_constraint)
    model = tf.keras.Model(backbone.input, head(pooled), name="fauxlens_int8")
    for name in (*HIDDEN[: len(hidden)], HEAD):
        model.get_layer(name).set_weights(classifier.get_layer(name).get_weights())
    return model


def quantised_backbone(model: Any) -> Any:
    """The fake-quantised feature extractor inside such a model, sharing its weights."""
    tf = load_tensorflow()
    return tf.keras.Model(model.input, features_layer(model).output, name="backbone_int8")


def calibrate_ranges(model: Any, batches: Iterable[Batch], decay: float) -> None:
    """Set the activation ranges from representative batches by moving averages of their extremes."""
    tf = load_tensorflow()
    freeze_batch_norm(model, True)
    with _range_decay(decay):
        # The decay is a constant of the traced graph, so tracing has to happen in here.
        observe = tf.function(lambda planes: model(planes, training=True))
        for planes, _, _ in batches:
            observe(tf.constant(planes))
    fix_ranges(model)


def fix_ranges(model: Any) -> None:
    """Set the ranges that are not the data's to choose, after anything that moved ranges."""
    fix_input_range(model)
    align_means(model)


def fix_input_range(model: Any) -> None:
    """Give the input the range of uint8 planes, one int8 step a grey level, whatever the data happened to hold.

    Front-end planes are uint8, so nothing is rounded at the input then. A range learned from dark planes, as those of
    ELA are, would clip bright ones and round all.
    """
    for layer in model.layers:
        if type(layer).__name__ == "QuantizeLayer":
            for weight in layer.weights:
                if weight.name.endswith(("_min:0", "_max:0")):
                    weight.assign(float(scale_pixels(np.float32(0 if weight.name.endswith("_min:0") else 255))))


def freeze_batch_norm(model: Any, frozen: bool) -> None:
    """Freeze batch norm, so that short runs do not disturb its statistics, or let go of it again.

    Weights must be saved unfrozen: tfmot's wrapper lists the weights of a frozen layer twice, which HDF5 refuses.
    """
    tf = load_tensorflow()
    for layer in model.layers:
        inner = getattr(layer, "layer", layer)
        if isinstance(inner, tf.keras.layers.BatchNormalization):
            inner.trainable = not frozen


@contextmanager
def _range_decay(decay: float) -> Iterator[None]:
    """Let tfmot's activation ranges follow the data with this decay instead of 0.999.

    tfmot 0.8.1 writes 0.999 into `MovingAverageQuantizer.__call__`, which needs some 3,000 batches to forget the
    initial +-6 (tensorflow_model_optimization/python/core/quantization/keras/quantizers.py) and offers no option.
    """
    from tensorflow_model_optimization.python.core.quantization.keras import quant_ops

    original = quant_ops.MovingAvgQuantize

    def patient(*arguments: Any, **options: Any) -> Any:
        return original(*arguments, **{**options, "ema_decay": decay})

    quant_ops.MovingAvgQuantize = patient
    try:
        yield
    finally:
        quant_ops.MovingAvgQuantize = original


def quantise(run: Run, store: Store, classifier: Any, *, on_batch: BatchCallback = lambda done: None) -> dict[str, Any]:
    """Make both int8 states of a trained run, write their weights, and return the Keras models by state."""
    tf = load_tensorflow()
    recipe = run.recipe
    seed_everything(recipe.fit.seed)
    data = gather_stage_data(run, store)
    steps = data.steps
    settings = recipe.quantize

    def batches(number: int) -> Iterator[Batch]:
        return data.augmented(_FINE_TUNING, number)

    def representative() -> Iterator[Batch]:
        for number in range(math.ceil(settings.calibration_batches / steps)):
            yield from batches(number)

    ptq = fake_quantise(classifier, settings.depthwise)
    calibrate_ranges(ptq, islice(representative(), settings.calibration_batches), settings.calibration_decay)
    qat = fake_quantise(classifier, settings.depthwise) if settings.epochs else None
    if qat is not None:
        qat.set_weights(ptq.get_weights())
    round_biases(ptq)
    freeze_batch_norm(ptq, False)
    save_weights(ptq, weights_path(run, "ptq"), run.recipe.model)
    if qat is None:
        return {"ptq": ptq}

    freeze_batch_norm(qat, True)
    qat.compile(
        optimizer=tf.keras.optimizers.Adam(settings.learning_rate),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    )
    best_loss, best = math.inf, qat.get_weights()
    predict = predictor(qat)
    for epoch in range(settings.epochs):
        learn_epoch(
            keras_step(qat),
            batches(1 + epoch),
            rate=lambda batch: settings.learning_rate,
            on_batch=batch_reporter(on_batch, "fine-tune", epoch, settings.epochs, steps),
        )
        fix_ranges(qat)
        val_loss, _ = validate_logits(predict(data.val_planes), data.val)
        if val_loss < best_loss:
            best_loss, best = val_loss, qat.get_weights()
    qat.set_weights(best)
    round_biases(qat)
    freeze_batch_norm(qat, False)
    save_weights(qat, weights_path(run, "qat"), run.recipe.model)
    return {"ptq": ptq, "qat": qat}


def load_quantised(run: Run, state: str) -> Any:
    """Build the run's fake-quantised classifier and load the weights of `ptq` or `qat`."""
    empty = build_classifier(replace(run.recipe.model, weights="none"), run.view.size)
    model = fake_quantise(empty, run.recipe.quantize.depthwise)
    path = weights_path(run, state)
    if not path.exists():
        raise ExportError(f"{run.folder} has no {state} weights yet: run `fauxlens quantize {run.folder}` first.")
    load_weights(model, path, run.recipe.model)
    return model


def quantise_run(
    run: Run, *, on_batch: BatchCallback = lambda done: None, log: LogCallback = lambda line: None
) -> tuple[str, ...]:
    """Quantise a trained run, score and calibrate each int8 state, and return their names.

    Each state gets a calibration and operating points of its own, because fine-tuning moves the logits. Raises
    TrainError when the run has no finished float state, or its backbone cannot be quantised.
    """
    check_int8(BACKBONES[run.recipe.model.backbone])
    read_state(run, "float")
    log("opening the packed pictures")
    store = run.store()
    front_end = parse_front_end(run.recipe.model.front_end)
    settings = run.recipe.quantize
    tuning = f", then {settings.epochs} epochs of fine-tuning" if settings.epochs else ""
    log(f"calibrating on {settings.calibration_batches} batches{tuning}")
    with working_on(run.folder):
        # New weights must never stand beside the calibration of old ones, not even after a kill half-way.
        forget_states(run, ("ptq", "qat"))
        models = quantise(run, store, load_model(run), on_batch=on_batch)
        for name, model in models.items():
            log(f"scoring {name}")
            score_state(run, store, name, keras_scorer(model, front_end))
    return tuple(models)
