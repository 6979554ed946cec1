"""Dropout whose chance is a number that the training sets, so that a resumed run drops what an unbroken one drops.

Keras's own layer draws from a hidden state that no checkpoint holds.
"""

from typing import Any

from train.common.tf import load_tensorflow

_NAME = "dropout"


class _Seed:
    """Holds the variables out of sight of Keras, which would count them among the layer's weights.

    rows: of the whole batch, of which a replica has a part (train/fit/distribute).
    """

    def __init__(self, variable: Any, rows: Any) -> None:
        self.variable = variable
        self.rows = rows


def seeded_dropout(rate: float) -> Any:
    """A layer that drops values at `rate` while training; `seed_dropout` decides which."""
    tf = load_tensorflow()

    class SeededDropout(tf.keras.layers.Layer):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__(name=_NAME)
            self.seed = _Seed(
                tf.Variable([0, 0], dtype=tf.int32, trainable=False), tf.Variable(0, dtype=tf.int32, trainable=False)
            )

        def call(self, inputs: Any, training: Any = None) -> Any:
            if training is None:
                training = tf.keras.backend.learning_phase()

            def dropped() -> Any:
                shape = tf.shape(inputs)
                before = self._rows_before()
                if before is None:
                    drawn = tf.random.stateless_uniform(shape, self.seed.variable)
                else:
                    # As one worker draws for the whole batch: what comes first does not depend on what follows.
                    shape = tf.concat([[before + shape[0]], shape[1:]], 0)
                    drawn = tf.random.stateless_uniform(shape, self.seed.variable)[before:]
                return tf.where(drawn >= rate, inputs / (1.0 - rate), 0.0)

            if isinstance(training, (bool, int)):
                return dropped() if training and rate > 0 else tf.identity(inputs)
            return tf.cond(tf.cast(training, tf.bool), dropped, lambda: tf.identity(inputs))

        def _rows_before(self) -> Any:
            """How many rows of the batch the replicas before this one have; None outside of replicas."""
            here = tf.distribute.get_replica_context()
            if here is None or here.num_replicas_in_sync == 1:
                return None
            # Rows are cut as numpy.array_split cuts them.
            number = tf.cast(here.replica_id_in_sync_group, tf.int32)
            each, left = (op(self.seed.rows, here.num_replicas_in_sync) for op in (tf.math.floordiv, tf.math.floormod))
            return number * each + tf.minimum(number, left)

    return SeededDropout()


def seed_dropout(model: Any, first: int, second: int, rows: int = 0) -> None:
    """Say what the next training step of a model with the layer drops; both numbers are at least 0.

    rows: of the whole batch, where replicas have a part of it each.
    """
    seed: _Seed = model.get_layer(_NAME).seed
    seed.variable.assign([first % 2**31, second % 2**31])
    seed.rows.assign(rows)
