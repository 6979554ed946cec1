"""An exponential moving average of a model's weights: what is validated and kept (Polyak and Juditsky 1992)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from train.common.tf import load_tensorflow


class WeightAverage:
    """The average of all weights of a Keras model, statistics of batch norm included; with decay 0 there is none.

    `state` is what a checkpoint has to keep.
    """

    def __init__(self, model: Any, decay: float, followed: Sequence[Any]) -> None:
        """followed: the variables that learn, in the order of the model's weights: these, or those of a replica."""
        tf = load_tensorflow()
        self._model = model
        self._followed = followed
        self._decay = decay
        self.state: Any = tf.Module()
        if not decay:
            return
        self.state.steps = tf.Variable(0.0, trainable=False)
        self.state.averages = [tf.Variable(weight, trainable=False) for weight in model.weights]
        self._step = tf.function(self._update, autograph=False)

    def update(self) -> None:
        """Follow the model by one optimizer step."""
        if self._decay:
            self._step()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the model the average for the length of a block."""
        if not self._decay:
            yield
            return
        own = self._model.get_weights()
        self._model.set_weights([average.numpy() for average in self.state.averages])
        try:
            yield
        finally:
            self._model.set_weights(own)

    def _update(self) -> None:
        tf = load_tensorflow()
        steps = self.state.steps.assign_add(1.0)
        # A short memory at first, so that where the average began is soon forgotten.
        decay = tf.minimum(self._decay, (1.0 + steps) / (10.0 + steps))
        for average, weight in zip(self.state.averages, self._followed, strict=True):
            average.assign(decay * average + (1.0 - decay) * weight)
