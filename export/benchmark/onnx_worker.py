"""What runs in a process of its own: a `.tflite` to ONNX with QDQ nodes, by tf2onnx, which brings TensorFlow along.

    python -c "from export.benchmark.onnx_worker import main; main()" IN.tflite OUT.onnx

Channels come first in ONNX. tf2onnx would turn the planes behind the first quantisation, and no engine recognises an
int8 convolution behind that. So it is told that pictures come channels first, and they are turned before everything.
"""

import sys
from typing import Any

OPSET = 18
"""Of the ONNX that is written; the newest that tf2onnx 1.17 knows."""


def main() -> None:
    """Convert the file named by the first argument to the second."""
    source, target = sys.argv[1:]
    import onnx
    import tf2onnx

    model, _ = tf2onnx.convert.from_tflite(source, opset=OPSET, inputs_as_nchw=["image"])
    turn_pictures(onnx, model.graph)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


def turn_pictures(onnx: Any, graph: Any) -> None:
    """Let the graph take its picture as [1, S, S, 3] again, and turn it first of all."""
    (image,) = graph.input
    batch, channels, height, width = (side.dim_value for side in image.type.tensor_type.shape.dim)
    for node in graph.node:
        node.input[:] = ["channels_first" if name == image.name else name for name in node.input]
    graph.node.insert(0, onnx.helper.make_node("Transpose", [image.name], ["channels_first"], perm=[0, 3, 1, 2]))
    entry = onnx.helper.make_tensor_value_info(image.name, onnx.TensorProto.UINT8, [batch, height, width, channels])
    del graph.input[:]
    graph.input.append(entry)
