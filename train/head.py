"""The head while it learns: one logit of "fake", or one logit a class whose difference is that logit."""

from typing import Any

from train.common.tf import load_tensorflow

HEAD = "logit"


def two_logits() -> Any:
    """A linear layer of two logits, (real, fake), that gives their difference [N, 1].

    The softmax of two logits is the sigmoid of their difference, and categorical cross-entropy of the one is binary
    cross-entropy of the other, to the gradient of every weight. So whatever is trained, kept or exported behind this
    layer sees one logit; only the weights that learn are twice as many.
    """
    tf = load_tensorflow()

    class TwoLogits(tf.keras.layers.Dense):  # type: ignore[name-defined]
        def call(self, inputs: Any) -> Any:
            kernel, bias = difference(self.kernel, self.bias)
            return tf.matmul(inputs, kernel) + bias

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], 1)

    return TwoLogits(2, name=HEAD, dtype="float32")


def difference(kernel: Any, bias: Any) -> tuple[Any, Any]:
    """The one logit that two logits come to: kernel [C, 2] and bias [2] to [C, 1] and [1], arrays or tensors alike."""
    return kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
