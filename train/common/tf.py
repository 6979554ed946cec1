"""The one door to TensorFlow: legacy Keras is chosen here, before TensorFlow is imported, and nowhere else."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from train.common.errors import TrainError
from train.common.extras import missing_sentence
from train.common.quiet import native_chatter_hidden

# Keras's MobileNet wonders at a network for six planes, which front ends side by side have.
warnings.filterwarnings("ignore", category=UserWarning, message="This model usually expects 1 or 3 input channels")


def load_tensorflow() -> Any:
    """Import TensorFlow with legacy Keras (`tf_keras`) as `tf.keras` and return the module.

    tensorflow-model-optimization and tf-keras-vis 0.8 work with legacy Keras only, and TensorFlow reads the choice
    once, when it is imported. Raises TrainError when TensorFlow is absent or was imported before with Keras 3.
    """
    if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        raise TrainError(
            "TensorFlow was imported before Fauxlens could choose legacy Keras: set TF_USE_LEGACY_KERAS=1 in the "
            "environment, or import it through train.common.tf.load_tensorflow."
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    # A person debugging TensorFlow sets it back.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with native_chatter_hidden():
            import tensorflow as tf
    except ModuleNotFoundError as error:
        # Where a part of TensorFlow is missing, the extra brings it as well.
        raise TrainError(missing_sentence(error.name) or missing_sentence("tensorflow")) from error
    tf.get_logger().setLevel("ERROR")
    return tf


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow (0 <= seed < 2**32) and make TensorFlow's kernels deterministic."""
    tf = load_tensorflow()
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


@contextmanager
def layers_in(policy: str) -> Iterator[None]:
    """Let Keras's layers that are made in the block compute in a dtype policy (`float32`, `mixed_bfloat16`)."""
    mixed_precision = load_tensorflow().keras.mixed_precision
    before = mixed_precision.global_policy()
    mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        mixed_precision.set_global_policy(before)


def limit_threads(threads: int) -> None:
    """Let one operation of TensorFlow use at most so many threads; once something was computed, it changes nothing."""
    # What TensorFlow raises when its threads are there already.
    with suppress(RuntimeError):
        load_tensorflow().config.threading.set_intra_op_parallelism_threads(threads)
