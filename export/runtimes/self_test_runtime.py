"""A self-test of the Android app, compared with the bundle that it is about: the run that a phone reports.

The app's own verdicts are not taken over; parity evaluates the phone's numbers here, as it evaluates those of any
runtime.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from export.artifacts.bundle import Bundle
from export.artifacts.seal import MAX_BYTES as MAX_MODEL_BYTES
from export.artifacts.slim import slim_bundle
from export.runtimes.interface import Output, ParityRun, Runtime
from export.runtimes.registry import RUNTIMES
from export.runtimes.self_test import AGAIN, MAX_BYTES, ReferenceResult, SelfTest, parse_self_test
from train.common.documents import read_bytes
from train.common.errors import ExportError


def shared_self_test(path: Path, opened: Path) -> Runtime:
    """The runtime `device` by a file that the app's share sheet gave: no phone is needed.

    The app may have the bundle file `opened` itself, or what `slim_bundle` makes of it. The run raises ExportError
    where a file cannot be read, and as `parse_self_test` and `parity_run_of`.
    """

    def run_references(bundle: Bundle, variant: str) -> ParityRun:
        self_test = parse_self_test(_read(path, MAX_BYTES), str(path))
        files = (slim_bundle(bundle, variant), _read(opened, MAX_MODEL_BYTES))
        return parity_run_of(
            self_test, bundle, variant, [hashlib.sha256(data).hexdigest() for data in files], str(path)
        )

    return replace(RUNTIMES["device"], missing=lambda: None, run_references=run_references)


def parity_run_of(self_test: SelfTest, bundle: Bundle, variant: str, files: Sequence[str], name: str) -> ParityRun:
    """The run that a self-test reports; `files` are the SHA-256s of the bundle files that it may be about.

    Raises ExportError, with both sides named, for a self-test of another variant, view, detector or bundle, or of
    other references.
    """
    description, references = bundle.descriptions[variant], bundle.references
    detector = hashlib.sha256(bundle.variants[variant]).hexdigest()
    for key, its, wanted in (
        ("variant", self_test.variant, [variant]),
        ("view", self_test.view, [description.view]),
        ("detector_sha256", self_test.detector_sha256, [detector]),
        ("bundle_sha256", self_test.bundle_sha256, files),
    ):
        if its not in wanted:
            remedy = f"give `--variant {its}`" if key == "variant" else "name the bundle that the app has"
            raise ExportError(f"{name} belongs to another bundle: its {key} is {its}, not {wanted[0]}; {remedy}.")
    names = tuple(one.name for one in self_test.references)
    if names != references.names:
        raise ExportError(
            f"{name} has {len(names)} references and the bundle has {len(references.names)}, or their order differs; "
            f"{AGAIN}."
        )
    cells = math.prod(description.heatmap)
    for one in self_test.references:
        if len(one.heatmap) not in (0, cells):
            raise ExportError(
                f"{name}: {one.name} has a heatmap of {len(one.heatmap)} values where the detector gives {cells}; "
                f"{AGAIN}."
            )
    return _parity_run(self_test, description.heatmap)


def phone_sentence(phone: Mapping[str, Any]) -> str:
    """What `ParityRun.phone` says, for people."""
    threads = f"{phone['threads']} thread{'s' if phone['threads'] != 1 else ''}"
    latency = phone["latency_ms"]
    spent = (
        f"; {latency['median']:.1f} ms a picture (10 to 90 %: {latency['p10']:.1f} to {latency['p90']:.1f}, "
        f"{latency['invocations']} runs)"
        if latency
        else ""
    )
    where = f"{phone['device']}, {phone['system']}, {phone['abi']}"
    return f"phone: {where}; {phone['runtime']}, {phone['accelerator']}, {threads}{spent}"


def _parity_run(self_test: SelfTest, heatmap: tuple[int, int]) -> ParityRun:
    lacking = next((one for one in self_test.references if not _has_run(one)), None)
    output, failure = None, ""
    if lacking is None:
        scores = np.stack([one.scores for one in self_test.references])
        heatmaps = np.stack([one.heatmap.reshape(heatmap) for one in self_test.references])
        output = Output(scores, heatmaps)
    else:
        failure = _reason(lacking) or ""
    return ParityRun(
        decoded=tuple(one.decoded_sha256 for one in self_test.references),
        views=tuple(one.view_sha256 for one in self_test.references),
        errors=tuple(map(_reason, self_test.references)),
        output=output,
        failure=failure,
        guarantee=self_test.guarantee,
        phone=_phone(self_test),
    )


def _has_run(one: ReferenceResult) -> bool:
    """Whether the detector gave outputs. An error that is not about decoding or view is about them."""
    complete = len(one.scores) and len(one.heatmap)
    return bool(complete) and (one.error is None or not (one.decoded_sha256 and one.view_sha256))


def _reason(one: ReferenceResult) -> str | None:
    """The error of a reference, which names it, too."""
    if one.error is None or one.name in one.error:
        return one.error
    return f"{one.name}: {one.error}"


def _phone(self_test: SelfTest) -> dict[str, Any]:
    keys = ("app", "device", "system", "abi", "runtime", "threads", "accelerator")
    latency = None
    if self_test.latency_ms:
        p10, median, p90 = (float(value) for value in np.percentile(self_test.latency_ms, [10, 50, 90]))
        latency = {"median": median, "p10": p10, "p90": p90, "invocations": len(self_test.latency_ms)}
    plain = {key: getattr(self_test, key) for key in keys}
    return plain | {"promise": self_test.guarantee, "latency_ms": latency}


def _read(path: Path, limit: int) -> bytes:
    try:
        return read_bytes(
            path, error=ExportError, remedy="name the JSON that the app shared, and its bundle", limit=limit
        )
    except FileNotFoundError:
        raise ExportError(f"{path} does not exist: check the spelling.") from None
