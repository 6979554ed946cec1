"""The head of a model card as the Hugging Face Hub reads it: YAML between two lines of dashes.

Fields: https://huggingface.co/docs/hub/model-cards and huggingface/hub-docs/modelcard.md. Every value is written as
JSON, which YAML 1.2 contains, so that no text of a recipe or manifest is read as anything else.
"""

import json
import re
from typing import TYPE_CHECKING, Any

from export.artifacts.description import Description
from train.common.spdx import spdx_of

if TYPE_CHECKING:
    from train.evaluate.evaluation import Evaluation

HUB_LICENCES = frozenset(
    (
        *("apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0"),
        *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0"),
        *("cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "bsd-2-clause", "bsd-3-clause"),
        *("bsd-3-clause-clear", "isc", "unlicense", "zlib", "ecl-2.0", "epl-1.0", "epl-2.0", "mpl-2.0", "ms-pl"),
    )
)
"""Identifiers of the Hub that are SPDX's in lower case; all else is `other` there, with its name beside it."""


def front_matter(description: Description, evaluation: "Evaluation") -> str:
    """The YAML head of a detector's card, with what was measured of it as the Hub's model-index."""
    fields: dict[str, Any] = {
        **_licence(description),
        "library_name": "litert",
        "pipeline_tag": "image-classification",
        "tags": ["tflite", "deepfake-detection", "ai-generated-image-detection", "faces", "fauxlens"],
        "metrics": ["roc_auc"],
        "model-index": [{"name": description.name, "results": [_result(evaluation)]}],
    }
    lines = [f"{key}: {_yaml(value)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---", ""])


def _yaml(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _STRING.sub(lambda found: _MARK.sub(lambda mark: f"\\u{ord(mark[0]):04x}", found[0]), text)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_MARK = re.compile(r"[<>\[\]`*#|]")
"""Pages that do not know the head show it as Markdown, in which no name may begin anything."""


def _licence(description: Description) -> dict[str, str]:
    expression = spdx_of(description.licences)
    if expression is None and description.licences:
        return {"license": "other", "license_name": " ".join(description.licences)}
    if expression is None:
        return {"license": "unknown"}
    if expression.lower() in HUB_LICENCES:
        return {"license": expression.lower()}
    return {"license": "other", "license_name": expression}


def _result(evaluation: "Evaluation") -> dict[str, Any]:
    metrics = [
        {"type": "roc_auc", "name": "AUC", "value": round(evaluation.overall.auc.value, 4)},
        {"type": "recall", "name": "Fakes called fake, 1 % point", "value": round(evaluation.fakes.fpr_1.value, 4)},
        {"type": "false_positive_rate", "name": "Reals called fake, 1 % point",
         "value": round(evaluation.reals.fpr_1.value, 4)},
    ]  # fmt: skip
    if evaluation.unseen is not None:
        unseen = round(evaluation.unseen.auc.value, 4)
        metrics.append({"type": "roc_auc", "name": "AUC, fakes outside training", "value": unseen})
    return {
        "task": {"type": "image-classification", "name": "AI-generated faces against real ones"},
        "dataset": {"type": "fauxlens-manifest", "name": evaluation.basis},
        "metrics": metrics,
    }
