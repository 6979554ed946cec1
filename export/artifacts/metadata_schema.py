"""Writes the standard model metadata with the flatbuffers builder, and grafts it onto a model.

Slot numbers are the order of the fields in `metadata_schema.fbs` 1.5.0 (TFLite Support,
tensorflow_lite_support/metadata/metadata_schema.fbs; the same file ships in MediaPipe's wheel) and, for the model
itself, in `schema.fbs` of TensorFlow Lite (tflite/converter/schema/schema.fbs). A union takes two slots: its type,
then its value. Only export needs this module: flatbuffers is not a dependency of `detect`.
"""

import struct
from collections.abc import Sequence
from typing import Any

from export.artifacts.description import LABELS, Description
from train.common.errors import ExportError

# union ContentProperties and union ProcessUnitOptions count from 1.
_FEATURE_PROPERTIES, _IMAGE_PROPERTIES = 1, 2
_NORMALIZATION = 1
# enum ColorSpaceType, enum AssociatedFileType
_RGB = 1
_TENSOR_AXIS_LABELS = 2
_MODEL_SLOTS = 8  # version, operator_codes, subgraphs, description, buffers, metadata_buffer, metadata, signature_defs
_BUFFERS, _METADATA = 4, 6
_WEIGHT_ALIGNMENT = 16  # schema.fbs: table Buffer { data:[ubyte] (force_align: 16); }


def output_names(tflite: bytes) -> tuple[str, ...]:
    """Names of the model's outputs in the order the subgraph lists them, by its one signature.

    Raises ExportError unless they are `scores` and `heatmap` in either order.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(tflite, 0)
    if model.SubgraphsLength() != 1 or model.SignatureDefsLength() != 1:
        raise ExportError(
            f"The converted model has {model.SubgraphsLength()} subgraphs and {model.SignatureDefsLength()} "
            "signatures where a detector has one of each; convert a single concrete function."
        )
    signature = model.SignatureDefs(0)
    by_index = {
        signature.Outputs(i).TensorIndex(): signature.Outputs(i).Name().decode()
        for i in range(signature.OutputsLength())
    }
    graph = model.Subgraphs(0)
    names = tuple(by_index.get(graph.Outputs(i), "?") for i in range(graph.OutputsLength()))
    if sorted(names) != ["heatmap", "scores"]:
        raise ExportError(
            f"The converted model's outputs are {', '.join(names) or 'none'} where a detector has scores and heatmap; "
            "name them in the concrete function's result."
        )
    return names


def write_metadata(description: Description, outputs: Sequence[str], *, author: str, version: str) -> bytes:
    """The TFLITE_METADATA flatbuffer (identifier "M001") for a detector whose outputs come in the given order.

    The input is normalised with mean 0 and std 1: the graph takes bytes and scales them itself.
    """
    import flatbuffers

    b = flatbuffers.Builder(4096)
    tensors = {
        "image": lambda: _tensor(b, "image", "The view: RGB, 0..255.", _image_content(b, description.size), units=True),
        "scores": lambda: _tensor(
            b, "scores", "Calibrated probabilities: real, fake.", _feature_content(b), labels=True
        ),
        "heatmap": lambda: _tensor(
            b, "heatmap", "Evidence for fake by region, divided by its maximum, 0..1.", _feature_content(b)
        ),
    }
    inputs = _offsets(b, [tensors["image"]()])
    results = _offsets(b, [tensors[name]() for name in outputs])
    graph_name = b.CreateString(description.name)
    b.StartObject(10)  # SubGraphMetadata: name 0, description 1, input_tensor_metadata 2, output_tensor_metadata 3
    b.PrependUOffsetTRelativeSlot(0, graph_name, 0)
    b.PrependUOffsetTRelativeSlot(2, inputs, 0)
    b.PrependUOffsetTRelativeSlot(3, results, 0)
    graphs = _offsets(b, [b.EndObject()])
    files = _offsets(
        b,
        [
            _file(b, "fauxlens.json", "What the detector was made of, and its operating points.", 0),
        ],
    )
    texts = [
        (0, description.name),
        (1, f"Real or AI-generated face, {description.variant}; view {description.view}."),
        (2, version),
        (4, author),
        (5, "; ".join(description.licences)),
        (7, "1.5.0"),
    ]
    strings = [(slot, b.CreateString(text)) for slot, text in texts]
    b.StartObject(8)  # ModelMetadata: name, description, version, subgraphs, author, license, files, min_parser_version
    for slot, offset in [*strings, (3, graphs), (6, files)]:
        b.PrependUOffsetTRelativeSlot(slot, offset, 0)
    b.Finish(b.EndObject(), file_identifier=b"M001")
    return bytes(b.Output())


def add_metadata(tflite: bytes, metadata: bytes) -> bytes:
    """Put `metadata` into the model as the buffer named TFLITE_METADATA.

    Offsets in a flatbuffer point forward, so a new root written *before* the old bytes can point into them: nothing
    is unpacked and repacked, and weights keep their 16-byte alignment, which the generated object API loses.
    Raises ExportError where the model has such a buffer, or parts this module does not know.
    """
    import flatbuffers

    old = tflite + bytes(-len(tflite) % _WEIGHT_ALIGNMENT)
    fields = _root_fields(tflite)
    buffers = _vector(tflite, fields[_BUFFERS])
    entries = _vector(tflite, fields[_METADATA])
    if any(_entry_name(tflite, entry) == b"TFLITE_METADATA" for entry in entries):
        raise ExportError("The model already has TFLite metadata; use the converter's own output instead.")

    b = flatbuffers.Builder(len(old) + len(metadata) + 4 * len(buffers) + 4096)
    # The builder fills its array from the end: the old model goes there first, and counts as already written.
    b.head -= len(old)
    b.Bytes[b.head :] = old
    b.minalign = _WEIGHT_ALIGNMENT

    def moved(position: int) -> int:
        return len(old) - position

    data = _aligned_bytes(b, metadata)
    b.StartObject(3)  # Buffer: data 0
    b.PrependUOffsetTRelativeSlot(0, data, 0)
    new_buffer = b.EndObject()
    name = b.CreateString("TFLITE_METADATA")
    b.StartObject(2)  # Metadata: name 0, buffer 1
    b.PrependUOffsetTRelativeSlot(0, name, 0)
    b.PrependUint32Slot(1, len(buffers), 0)
    new_entry = b.EndObject()
    rebuilt = {
        _BUFFERS: _offsets(b, [*(moved(p) for p in buffers), new_buffer]),
        _METADATA: _offsets(b, [*(moved(p) for p in entries), new_entry]),
    }
    b.StartObject(_MODEL_SLOTS)
    b.PrependUint32Slot(0, _u32(tflite, fields[0]) if fields[0] else 0, 0)
    for slot in range(1, _MODEL_SLOTS):
        if slot in rebuilt:
            b.PrependUOffsetTRelativeSlot(slot, rebuilt[slot], 0)
        elif fields[slot]:
            b.PrependUOffsetTRelativeSlot(slot, moved(_target(tflite, fields[slot])), 0)
    b.Finish(b.EndObject(), file_identifier=b"TFL3")
    return bytes(b.Output())


def _tensor(b: Any, name: str, text: str, content: int, *, units: bool = False, labels: bool = False) -> int:
    parts = [(0, b.CreateString(name)), (1, b.CreateString(text)), (3, content)]
    if units:
        parts.append((4, _offsets(b, [_no_normalization(b)])))
    if labels:
        text = f"One label a score: {', '.join(LABELS)}."
        parts.append((6, _offsets(b, [_file(b, "labels.txt", text, _TENSOR_AXIS_LABELS)])))
    b.StartObject(7)  # TensorMetadata: name, description, dimension_names, content, process_units, stats, files
    for slot, offset in parts:
        b.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return int(b.EndObject())


def _image_content(b: Any, size: int) -> int:
    b.StartObject(2)  # ImageSize: width 0, height 1
    b.PrependUint32Slot(0, size, 0)
    b.PrependUint32Slot(1, size, 0)
    default_size = b.EndObject()
    b.StartObject(2)  # ImageProperties: color_space 0, default_size 1
    b.PrependInt8Slot(0, _RGB, 0)
    b.PrependUOffsetTRelativeSlot(1, default_size, 0)
    return _content(b, _IMAGE_PROPERTIES, b.EndObject())


def _feature_content(b: Any) -> int:
    b.StartObject(0)  # FeatureProperties
    return _content(b, _FEATURE_PROPERTIES, b.EndObject())


def _content(b: Any, kind: int, properties: int) -> int:
    b.StartObject(3)  # Content: content_properties_type 0, content_properties 1, range 2
    b.PrependUint8Slot(0, kind, 0)
    b.PrependUOffsetTRelativeSlot(1, properties, 0)
    return int(b.EndObject())


def _no_normalization(b: Any) -> int:
    vectors = []
    for value in (0.0, 1.0):
        b.StartVector(4, 1, 4)
        b.PrependFloat32(value)
        vectors.append(b.EndVector())
    b.StartObject(2)  # NormalizationOptions: mean 0, std 1
    for slot, vector in enumerate(vectors):
        b.PrependUOffsetTRelativeSlot(slot, vector, 0)
    options = b.EndObject()
    b.StartObject(2)  # ProcessUnit: options_type 0, options 1
    b.PrependUint8Slot(0, _NORMALIZATION, 0)
    b.PrependUOffsetTRelativeSlot(1, options, 0)
    return int(b.EndObject())


def _file(b: Any, name: str, text: str, kind: int) -> int:
    strings = [b.CreateString(name), b.CreateString(text)]
    b.StartObject(5)  # AssociatedFile: name 0, description 1, type 2, locale 3, version 4
    for slot, string in enumerate(strings):
        b.PrependUOffsetTRelativeSlot(slot, string, 0)
    b.PrependInt8Slot(2, kind, 0)
    return int(b.EndObject())


def _offsets(b: Any, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return int(b.EndVector())


def _aligned_bytes(b: Any, data: bytes) -> int:
    b.StartVector(1, len(data), _WEIGHT_ALIGNMENT)
    b.head -= len(data)
    b.Bytes[b.head : b.head + len(data)] = data
    return int(b.EndVector())


def _u32(data: bytes, position: int) -> int:
    return int(struct.unpack_from("<I", data, position)[0])


def _target(data: bytes, position: int) -> int:
    return position + _u32(data, position)


def _fields(data: bytes, table: int) -> list[int]:
    """Positions of a table's fields by slot, 0 where the field is absent."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, vtable)[0]
    offsets = struct.unpack_from(f"<{(size - 4) // 2}H", data, vtable + 4)
    return [table + offset if offset else 0 for offset in offsets]


def _root_fields(data: bytes) -> list[int]:
    fields = _fields(data, _target(data, 0))
    if any(fields[_MODEL_SLOTS:]):
        raise ExportError("The model keeps weights outside its flatbuffer; convert it without external buffers.")
    fields = (fields + [0] * _MODEL_SLOTS)[:_MODEL_SLOTS]
    for buffer in _vector(data, fields[_BUFFERS]):
        # Buffer: data 0, offset 1, size 2. The latter two count from the start of the file, which moves.
        if any(_fields(data, buffer)[1:]):
            raise ExportError("The model keeps weights after its flatbuffer; convert one smaller than 2 GB.")
    return fields


def _vector(data: bytes, field: int) -> list[int]:
    """Positions of the tables that a vector of offsets points to; empty where the field is absent."""
    if not field:
        return []
    start = _target(data, field)
    return [_target(data, start + 4 + 4 * i) for i in range(_u32(data, start))]


def _entry_name(data: bytes, entry: int) -> bytes:
    fields = _fields(data, entry)
    if not fields or not fields[0]:
        return b""
    start = _target(data, fields[0])
    return data[start + 4 : start + 4 + _u32(data, start)]
