"""Names of tensors that a person reads in a viewer such as Netron, and that `inside` and `layers` find tensors by.

The converter names a tensor after all TensorFlow operations that were fused into it, and inputs and outputs after its
own call. Here they are called after what they hold:

    image                  uint8, the view
    planes                 what the front end makes of it, 0..255
    scaled                 planes as the backbone takes them; where the scaling is not folded into a convolution
    backbone/LAYER         what a Keras layer gives, by the layer's name; LAYER/kernel and LAYER/bias of its convolution
    features               the last feature map, float32
    spread                 of a linear head: the 1x1 convolution of it, with channels of zero beside the one that counts
    evidence               that one: its mean is the logit less the bias, its ReLU the Grad-CAM (of a dense head the
                           latter only)
    logit                  of "fake", before calibration
    scores, heatmap        the outputs
"""

import re
import struct
from dataclasses import replace

from export.tflite.flatbuffer import Graph, Operator, open_model, read_graph
from train.common.errors import ExportError

STAGES = ("image", "planes", "features", "evidence", "logit", "scores", "heatmap")
"""Names that every variant has."""

SCALE, HEAD = "scale", "head"
"""Scopes of the operations that scale planes, and that make the logit of the features, where the graph is composed."""
LOGIT, EVIDENCE = "dense_logit", "dense_evidence"
"""Scopes inside the head's where it is a dense one."""

# The extractor's own name, then the layer's, which tfmot's wrapper lengthens; then what was fused into the tensor.
_LAYER = re.compile(r"backbone(?:_int8)?/(?:quant_)?(?P<layer>[^/;]+)/")
_NAME_SLOT = 10  # schema.fbs: table Tensor, vtable offset of its fourth field, `name`.


def name_tensors(tflite: bytes) -> bytes:
    """Rename the tensors of a freshly converted detector; nothing else in it changes.

    A flatbuffer's offsets point forward, so new names stand behind the old bytes, and each tensor's offset is turned to
    its own. Raises ExportError where the graph is not one that `export.tflite.convert` composed.
    """
    graph = read_graph(tflite, "the converted model")
    # What is made of constants alone, as float16 unpacks its weights, is named where it is used.
    computing = (one for one in graph.operators if not all(tensor.constant for tensor in one.inputs))
    chosen = _chosen(replace(graph, operators=tuple(computing)))
    tensors = open_model(tflite, "the converted model").Subgraphs(0)
    renamed = bytearray(tflite)
    for index, name in chosen.items():
        table = tensors.Tensors(index)._tab
        slot = table.Offset(_NAME_SLOT)
        if not slot:
            raise ExportError(f"Tensor {index} of the converted model has no name to replace; convert it again.")
        renamed += bytes(-len(renamed) % 4)
        struct.pack_into("<I", renamed, table.Pos + slot, len(renamed) - (table.Pos + slot))
        text = name.encode()
        renamed += struct.pack("<I", len(text)) + text + b"\0"
    return bytes(renamed)


def _chosen(graph: Graph) -> dict[int, str]:
    """The new name of each tensor that gets one; no two tensors of a graph share a name."""
    names = {tensor.index: tensor.name for tensor in (*graph.inputs, *graph.outputs)}
    names |= _stages(graph.operators)
    old = {tensor.name for operator in graph.operators for tensor in (*operator.inputs, *operator.outputs)}
    taken = old | set(names.values())
    for operator in graph.operators:
        found = _LAYER.match(operator.outputs[0].name)
        if not found:
            layer = names.get(operator.outputs[0].index, "") if operator.is_convolution else ""
            wanted = []
        else:
            layer = "backbone/input" if operator.name == "QUANTIZE" else f"backbone/{found['layer']}"
            wanted = [(operator.outputs[0].index, layer)]
        if operator.is_convolution and layer:
            parts = zip(operator.inputs[1:], ("kernel", "bias"), strict=False)
            wanted += [(tensor.index, f"{layer.removesuffix('_relu')}/{part}") for tensor, part in parts]
        for index, name in wanted:
            if index not in names and name not in taken:
                names[index] = name
                taken.add(name)
    return names


def _stages(operators: tuple[Operator, ...]) -> dict[int, str]:
    scale = [operator for operator in operators if _is_named(operator, f"{SCALE}/")]
    convolutions = [operator for operator in operators if operator.is_convolution]
    steps = [operator for operator in operators if _is_named(operator, f"{HEAD}/") and not operator.is_convolution]
    inside = [operator for operator in convolutions if _LAYER.match(operator.outputs[0].name)]
    if not (scale or inside) or not convolutions or not steps:
        raise ExportError(
            "The converted model has no scaling, no convolution or no head; convert what `compose` gives."
        )
    # A first convolution without padding takes the whole scaling into its weights.
    names = {(scale or inside)[0].inputs[0].index: "planes"}
    if len(scale) > 1:
        names[scale[-1].outputs[0].index] = "scaled"
    logits = [operator for operator in steps if _is_named(operator, f"{HEAD}/{LOGIT}/")]
    evidence = [operator for operator in steps if _is_named(operator, f"{HEAD}/{EVIDENCE}/")]
    if logits and evidence:
        names[steps[0].inputs[0].index] = "features"
        return names | {evidence[-1].outputs[0].index: "evidence", logits[-1].outputs[0].index: "logit"}
    head = convolutions[-1]
    # The convolution's channels, of which all but one are zero, are added up first.
    names |= {head.inputs[0].index: "features", head.outputs[0].index: "spread"}
    names[steps[0].outputs[0].index] = "evidence"
    # The last is the bias, or the mean where the bias is zero and is not added at all.
    return names | {steps[-1].outputs[0].index: "logit"}


def _is_named(operator: Operator, start: str) -> bool:
    return any(part.startswith(start) for part in operator.outputs[0].name.split(";"))
