"""One network on every replica, in step with a plain one that all else reads, keeps and restores.

The plain model is what is validated and written, so that a run folder is the same whoever trained in it. Copies of a
variable are equal on all replicas after every step, those of batch norm too, so that any of them is the whole truth.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from train.common.tf import load_tensorflow
from train.fit.distribute.replicas import Replicas, local_copies

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


class ReplicatedModel:
    """A network built under a strategy; one stage after another has it learn what `plain` then takes over."""

    def __init__(self, replicas: Replicas, build: Callable[[], Any]) -> None:
        """build: makes a model with the layers of the plain one, without constraints on its weights."""
        tf = load_tensorflow()
        self._replicas = replicas
        with replicas.reaching(), replicas.strategy.scope():
            self.model = build()
        for layer in self.model.layers:
            if isinstance(layer, tf.keras.layers.BatchNormalization):
                # Mean and variance of the whole batch, as one worker has them.
                layer.fused = False
                layer.synchronized = True

    @property
    def weights(self) -> list[Any]:
        """One copy of every weight, in the plain model's order."""
        return [local_copies(self._replicas.strategy, one)[0] for one in self.model.weights]

    def begin_stage(
        self,
        plain: Any,
        make_optimizer: Callable[[], Any],
        loss: Any,
        part: Callable[[Any], Any] | None = None,
    ) -> None:
        """Take over the plain, compiled model as it stands: weights, what learns, the optimizer's state.

        make_optimizer: makes one like the plain model's. loss: a Keras loss without reduction. part: gives the model
        within the model that takes the steps, where it is not the whole.
        """
        strategy = self._replicas.strategy
        for mine, its in zip(self.model.layers, plain.layers, strict=True):
            mine.trainable = its.trainable
        plain.optimizer.build(plain.trainable_variables)
        with self._replicas.reaching(), strategy.scope():
            self._optimizer = make_optimizer()
            self._optimizer.build(self.model.trainable_variables)
            learning = part(self.model) if part else self.model
        self._plain = plain
        for mine, its in self._pairs():
            for copy in local_copies(strategy, mine):
                copy.assign(its)
        self._step = _make_step(strategy, learning, self._optimizer, loss)
        self._bounded = [
            (copy, its.constraint)
            for mine, its in zip(self.model.weights, plain.weights, strict=True)
            for copy in local_copies(strategy, mine)
            if its.constraint is not None
        ]

    def step(self, batch: Batch, total: int, rate: float) -> float:
        """Take one optimizer step and return the mean loss of the whole batch.

        batch: this worker's rows of a batch of `total` (`Replicas.share`). Raises WorkerLost.
        """
        tf = load_tensorflow()
        strategy = self._replicas.strategy
        for copy in local_copies(strategy, self._optimizer.learning_rate):
            copy.assign(rate)
        cuts = np.cumsum([len(places) for places in self._replicas.places(total)])[:-1]
        x, y, weight = (np.split(np.asarray(column, np.float32), cuts) for column in batch)
        weight = [one * own for one, own in zip(weight, self._replicas.weighs(total), strict=True)]
        start = self._replicas.mine.start

        def distributed(pieces: list[np.ndarray]) -> Any:
            return strategy.experimental_distribute_values_from_function(
                lambda context: tf.constant(pieces[context.replica_id_in_sync_group - start])
            )

        with self._replicas.reaching():
            loss = self._step(tuple(map(distributed, (x, y, weight))), tf.constant(float(total)))
            for copy, constraint in self._bounded:
                copy.assign(constraint(copy))
            return float(loss)

    def give_back(self) -> None:
        """Bring the plain model and its optimizer to where the replicas are."""
        for mine, its in self._pairs():
            its.assign(local_copies(self._replicas.strategy, mine)[0])

    def _pairs(self) -> Iterable[tuple[Any, Any]]:
        mine = [*self.model.weights, *self._optimizer.variables]
        return zip(mine, [*self._plain.weights, *self._plain.optimizer.variables], strict=True)


def _make_step(strategy: Any, model: Any, optimizer: Any, loss: Any) -> Any:
    """A function of this worker's pieces (planes, is-fake, weight) and the rows of the whole batch to its mean loss."""
    tf = load_tensorflow()

    def learn(x: Any, y: Any, weight: Any, total: Any) -> Any:
        with tf.GradientTape() as tape:
            mean = tf.reduce_sum(loss(y, model(x, training=True)) * weight) / total
        variables = model.trainable_variables
        # The optimizer adds up what the replicas found.
        optimizer.apply_gradients(zip(tape.gradient(mean, variables), variables, strict=True))
        return mean

    @tf.function(reduce_retracing=True)
    def step(pieces: Any, total: Any) -> Any:
        return strategy.reduce("SUM", strategy.run(learn, args=(*pieces, total)), axis=None)

    return step
