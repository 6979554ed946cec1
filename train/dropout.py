"""Dropout whose chance is a number that the training sets, so that a resumed run drops what an unbroken one drops.

Keras's own layer draws from a hidden state that no checkpoint holds.
"""

from typing import Any

from train.common.tf import load_tensorflow

_NAME = "dropout"


class _Seed:
    """Holds the variable out of sight of Keras, which would count it among the layer's weights."""

    def __init__(self, variable: Any) -> None:
        self.variable = variable


def seeded_dropout(rate: float) -> Any:
    """A layer that drops values at `rate` while training; `seed_dropout` decides which."""
    tf = load_tensorflow()

    class SeededDropout(tf.keras.layers.Layer):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__(name=_NAME)
            self.seed = _Seed(tf.Variable([0, 0], dtype=tf.int32, trainable=False))

        def call(self, inputs: Any, training: Any = None) -> Any:
            if training is None:
                training = tf.keras.backend.learning_phase()

            def dropped() -> Any:
                kept = tf.random.stateless_uniform(tf.shape(inputs), self.seed.variable) >= rate
                return tf.where(kept, inputs / (1.0 - rate), 0.0)

            if isinstance(training, (bool, int)):
                return dropped() if training and rate > 0 else tf.identity(inputs)
            return tf.cond(tf.cast(training, tf.bool), dropped, lambda: tf.identity(inputs))

    return SeededDropout()


def seed_dropout(model: Any, first: int, second: int) -> None:
    """Say what the next training step of a model with the layer drops; both numbers are at least 0."""
    seed: _Seed = model.get_layer(_NAME).seed
    seed.variable.assign([first % 2**31, second % 2**31])
