"""Settings that generators of pictures leave in texts and EXIF fields, each in its tool's published format."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from train.image.marks.rows import EvidenceRow, Says, Strength, shown
from train.image.marks.tables import mark_tables


@dataclass(frozen=True)
class Text:
    """A text of a file: the key it is stored under, the text, and the place to name ('PNG text "parameters"')."""

    key: str
    text: str
    place: str


@dataclass(frozen=True)
class _NamedGenerator:
    tool: str
    model: str = ""
    says: Says = "ai"
    strength: Strength = "medium"


# Every language has other ideas of \b, \d and \s; none of these.
_BEFORE = "(?<![A-Za-z0-9_])"
# "Steps: 20, Sampler: Euler a, CFG scale: 7, ..., Model: sd_xl_base_1.0, Version: v1.9.4"
# (stable-diffusion-webui, modules/processing.py, create_infotext).
_INFOTEXT = re.compile(rf"{_BEFORE}Steps: [0-9]+, (?:[^\n]{{0,200}}, )?Sampler: ")
_INFOTEXT_MODEL = re.compile(rf"{_BEFORE}Model: ([^,\n]{{1,120}})")
_INFOTEXT_VERSION = re.compile(rf"{_BEFORE}Version: ([^,\n]{{1,40}})")
# "portrait of a fisherman --ar 3:2 --v 6.1 Job ID: 0c9bd0d6-..."
_MIDJOURNEY = re.compile(rf"{_BEFORE}Job ID: [0-9a-f]{{8}}-[0-9a-f]{{4}}-")
_JSON_MODEL = re.compile(r'"(?:base_model|model_name|model)"[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,120})"')
_JSON_MODEL_NAME = re.compile(
    r'"model"[ \t\n\r]*:[ \t\n\r]*\{[^{}]{0,400}?"name"[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,120})"'
)
# GB 45438-2025, annex E: "Label" 1 made by AI, 2 possibly, 3 suspected.
_AIGC_LABEL = re.compile(r'"?Label"?[ \t\n\r]*:[ \t\n\r]*"?([123])')
_AIGC_PRODUCER = re.compile(r'"?ContentProducer"?[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,80})"')
_WEIGHTS = (".safetensors", ".ckpt", ".gguf", ".sft")
# A name stands near the beginning of the longest workflow; looking no further bounds the time.
_LOOKED_AT = 1 << 17


def generator_rows(texts: Iterable[Text]) -> list[EvidenceRow]:
    """One row for each tool that the texts name as their maker; the first place that names a tool is the source."""
    rows: list[EvidenceRow] = []
    tools: set[str] = set()
    for text in texts:
        found = _settings(text) or _named(text)
        if found is None or found.tool in tools:
            continue
        tools.add(found.tool)
        rows.append(EvidenceRow("metadata", found.strength, found.says, _sentence(text, found), text.place))
    return rows


def _sentence(text: Text, found: _NamedGenerator) -> str:
    if found.tool == "AIGC":
        producer = f", producer {found.model}" if found.model else ""
        return f"{text.place} carries the label that China asks of AI-made pictures{producer}."
    model = f", model {found.model}" if found.model else ""
    what = {"ai": "a generator of pictures", "edited": "an editor"}[found.says]
    return f"{text.place} names {what}: {found.tool}{model}."


def _settings(text: Text) -> _NamedGenerator | None:
    """The generator whose format the text has."""
    key, value = text.key.lower(), text.text[:_LOOKED_AT]
    if key == "aigc" or '"AIGC"' in value[:200]:
        label, producer = _AIGC_LABEL.search(value), _AIGC_PRODUCER.search(value)
        certain = label is not None and label[1] == "1"
        return _NamedGenerator("AIGC", shown(producer[1]) if producer else "", strength="medium" if certain else "weak")
    if _INFOTEXT.search(value):
        version = _first(_INFOTEXT_VERSION, value)
        return _NamedGenerator(_webui(version), _first(_INFOTEXT_MODEL, value))
    if key in mark_tables().text_keys:
        return _NamedGenerator(mark_tables().text_keys[key], _json_model(value))
    if '"sui_image_params"' in value:
        return _NamedGenerator("SwarmUI", _json_model(value))
    # Of a very long workflow only the beginning is there.
    if '"class_type"' in value or '"last_node_id"' in value or (key == "workflow" and '"nodes"' in value):
        return _NamedGenerator("ComfyUI", _weights(value))
    if key == "parameters" and '"base_model"' in value:
        return _NamedGenerator("Fooocus", _json_model(value))
    if _MIDJOURNEY.search(value):
        return _NamedGenerator("Midjourney")
    return None


def _named(text: Text) -> _NamedGenerator | None:
    """The tool that a field for names holds."""
    if text.key.lower() not in mark_tables().name_fields:
        return None
    value = text.text[:1000].lower()
    for part, name in mark_tables().ai_names:
        if part in value:
            return _NamedGenerator(name)
    for part, name in mark_tables().edit_names:
        if part in value:
            return _NamedGenerator(name, says="edited", strength="weak")
    return None


def _webui(version: str) -> str:
    if version.startswith("Fooocus"):
        return "Fooocus"
    if version == "ComfyUI":
        return version
    return "Stable Diffusion WebUI Forge" if re.match("f[0-9]", version) else "Stable Diffusion WebUI"


def _first(pattern: re.Pattern[str], value: str) -> str:
    found = pattern.search(value)
    return shown(found[1]) if found else ""


def _json_model(value: str) -> str:
    return _weights(value) or _first(_JSON_MODEL, value) or _first(_JSON_MODEL_NAME, value)


def _weights(value: str) -> str:
    """The first file of weights that a JSON text names, without its folder and ending."""
    ends = [(value.find(f'{ending}"'), ending) for ending in _WEIGHTS]
    found = min((end for end, _ in ends if end >= 0), default=-1)
    if found < 0:
        return ""
    before = value[max(0, found - 120) : found]
    return shown(before[max(before.rfind(mark) for mark in '"\\/') + 1 :])
