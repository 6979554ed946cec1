"""Which operators TFLite's GPU delegate would leave to the CPU: a note for people, no guarantee for any phone.

TensorFlow's own analyser (tf.lite.experimental.Analyzer, gpu_compatibility) calls every model compatible since 2.19,
even one of strings: its check was taken out (tensorflow/tensorflow issue 77042). So the delegate's published rules are
read here as far as a detector can meet them: the operators it knows, and the casts it does
(tensorflow/lite/tools/versioning/gpu_compatibility.cc).
"""

from export.tflite.flatbuffer import Operator, read_graph

_NAMES = """
    ABS ADD AVERAGE_POOL_2D BATCH_MATMUL CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE
    DEQUANTIZE DIV ELU EQUAL EXP FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GELU GREATER GREATER_EQUAL HARD_SWISH
    LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL
    ONE_HOT PACK PAD PADV2 POW PRELU QUANTIZE REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RELU_N1_TO_1 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SELECT SELECT_V2 SIGN SIN SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SPLIT_V
    SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUB SUM TANH TILE TRANSPOSE TRANSPOSE_CONV
"""
_TAKEN = frozenset(_NAMES.split())
_CASTS = frozenset(
    {("BOOL", "FLOAT16"), ("BOOL", "FLOAT32"), ("FLOAT16", "BOOL"), ("FLOAT32", "BOOL")}
    | {(one, other) for one in ("FLOAT32", "INT32") for other in ("FLOAT32", "INT32")}
)


def gpu_note(tflite: bytes, name: str = "the detector file") -> str:
    """Half a sentence on what the GPU delegate would leave to the CPU, by kind of operator and how many of it."""
    operators = read_graph(tflite, name).operators
    left = [_kind(operator) for operator in operators if not _is_taken(operator)]
    if not left:
        return f"all {len(operators)} operators are of kinds that the delegate takes"
    kinds = ", ".join(f"{left.count(kind)} {kind}" for kind in dict.fromkeys(left))
    return f"of {len(operators)} operators the delegate leaves to the CPU: {kinds}"


def _is_taken(operator: Operator) -> bool:
    if operator.name == "CAST":
        return (operator.inputs[0].dtype, operator.outputs[0].dtype) in _CASTS
    return operator.custom is None and operator.name in _TAKEN


def _kind(operator: Operator) -> str:
    if operator.name == "CAST":
        return f"CAST from {operator.inputs[0].dtype} to {operator.outputs[0].dtype}"
    return operator.custom or operator.name
