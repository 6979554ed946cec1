"""Write good.tflite, a tiny quantised graph as the exporter writes them, and cases.json: what is altered in it.

    PYTHONPATH=. python tests/golden/graphs/make.py

The graph is made once: converters of other versions write other bytes (delete good.tflite to make it anew). A case is
`changes`, a list of [place, bytes in hexadecimal], and `complaint`, the sentence in the brackets of the refusal or null
where the guard lets the graph pass. Python, Kotlin and JavaScript are held to the same complaints.
"""

import json
import random
import struct
from pathlib import Path
from typing import Any

from export.artifacts.flat_tables import root_table
from export.artifacts.graph_guard import check_graph
from train.common.errors import ExportError

HERE = Path(__file__).parent
CASES = 600
SIDE = 8


def main() -> None:
    """Make the graph if there is none, and all cases from it."""
    path = HERE / "good.tflite"
    if not path.exists():
        path.write_bytes(made())
    good = path.read_bytes()
    cases: list[dict[str, Any]] = [{"changes": [], "complaint": complaint_of(good)}]
    rng = random.Random(18)
    weights = [
        range(start, start + count)
        for start, count in (t.bytes_at(0) for t in root_table(good).tables(4))
        if count > 64
    ]
    places = [place for place in range(0, len(good) - 4) if not any(place in part for part in weights)]
    for _ in range(CASES):
        changes = []
        for _ in range(rng.choice((1, 1, 1, 2, 8))):
            place = rng.choice(places)
            values = (
                struct.pack("<i", rng.choice((-1, 0, 1, 2, 255, 2**31 - 1, -(2**31)))),
                struct.pack("<B", rng.randrange(256)),
                rng.randbytes(4),
            )
            changes.append([place & ~3 if rng.random() < 0.7 else place, rng.choice(values).hex()])
        cases.append({"changes": changes, "complaint": complaint_of(altered(good, changes))})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    passed = sum(case["complaint"] is None for case in cases)
    print(f"{len(good)} bytes; {len(cases)} cases, of which {passed} pass")


def altered(good: bytes, changes: list[Any]) -> bytes:
    """The graph with bytes replaced."""
    data = bytearray(good)
    for place, value in changes:
        new = bytes.fromhex(value)
        data[place : place + len(new)] = new
    return bytes(data)


def complaint_of(tflite: bytes) -> str | None:
    """What the guard says in its brackets, None where it says nothing."""
    try:
        check_graph(tflite, "it")
    except ExportError as error:
        return str(error).removeprefix("it does not hold a graph that Fauxlens exports (").rpartition("): take a ")[0]
    return None


def made() -> bytes:
    """A convolution, a depthwise one and a head, quantised; input and outputs as every detector has them."""
    from train.common.tf import load_tensorflow

    tf = load_tensorflow()

    kernel = tf.constant(random_values((3, 3, 3, 4)))
    depthwise = tf.constant(random_values((3, 3, 4, 1)))
    head = tf.constant(random_values((4, 2)))

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.uint8, name="image")])
    def score(image: Any) -> dict[str, Any]:
        value = tf.cast(image, tf.float32) / 127.5 - 1.0
        value = tf.nn.relu6(tf.nn.conv2d(value, kernel, 2, "SAME"))
        value = tf.nn.relu6(tf.nn.depthwise_conv2d(value, depthwise, [1, 1, 1, 1], "SAME"))
        scores = tf.nn.softmax(tf.matmul(tf.reduce_mean(value, (1, 2)), head))
        return {"scores": scores, "heatmap": tf.sigmoid(tf.reduce_sum(value, -1))}

    module = tf.Module()
    module.score = score
    function = score.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    pictures = random.Random(1)

    def representative() -> Any:
        for _ in range(4):
            yield {"image": picture()}

    def picture() -> Any:
        values = list(pictures.randbytes(SIDE * SIDE * 3))
        return tf.reshape(tf.constant(values, tf.uint8), (1, SIDE, SIDE, 3))

    converter.representative_dataset = representative
    return bytes(converter.convert())


def random_values(shape: tuple[int, ...]) -> Any:
    """Values of a normal distribution, always the same."""
    import numpy as np

    return np.random.default_rng(3).normal(0, 0.5, shape).astype(np.float32)


if __name__ == "__main__":
    main()
