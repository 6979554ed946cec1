"""What a C2PA manifest store claims, and whether its hashes fit the file; signatures are for `signatures.py`.

(C2PA specification 2.2: manifests 11, claims 10, hard bindings 9.2 and 18.5, JUMBF's place in files A.)
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from train.image.marks.cbor import CborError, read_cbor
from train.image.marks.certificate import subject_of
from train.image.marks.jumbf import Box, JumbfError, read_jumbf
from train.image.marks.rows import shown

MAX_ANCESTORS, MAX_ACTIONS, MAX_EXCLUSIONS = 16, 200, 64
# Thumbnails, the bulk of a store, are no CBOR.
MAX_CBOR = 1 << 20
_HASHES = ("sha256", "sha384", "sha512")
_CHAIN = 33


class ManifestError(ValueError):
    """The manifest store cannot be read."""


@dataclass(frozen=True)
class Claim:
    """What the active manifest of a store claims.

    `generator` and `signer` are names fit to be shown, "" where there is none. `source_types` are the digital source
    types (addresses) of its actions and those of its parents, `ingredient_types` those of what was placed in it or was
    given to it; `actions` its own actions in order, each once. `fits` is whether the hash of the file's bytes and the
    hashes of the assertions hold, None where there is no hash that can be compared here.
    """

    generator: str
    signer: str
    source_types: tuple[str, ...]
    ingredient_types: tuple[str, ...]
    actions: tuple[str, ...]
    fits: bool | None


def read_claim(store: bytes, file: bytes) -> Claim:
    """Read the last, active manifest of a store of the file with the bytes `file`. Raises ManifestError."""
    try:
        root = read_jumbf(store)
        manifests = {box.label: box for box in root.boxes}
        if root.label != "c2pa" or not root.boxes:
            raise ManifestError("no manifest store")
        if _cbor_bytes(root) > MAX_CBOR:
            raise ManifestError("too much to read")
        active = root.boxes[-1]
        claim = _claim(active)
        own, placed = _source_types(active, manifests)
        actions = (shown(str(one.get("action", ""))) for one in _actions(active))
        return Claim(
            _generator(claim),
            shown(_signer(active)),
            tuple(dict.fromkeys(own)),
            tuple(dict.fromkeys(placed)),
            tuple(dict.fromkeys(actions)),
            _fits(active, claim, file),
        )
    except (JumbfError, CborError) as error:
        raise ManifestError(str(error)) from error


def _cbor_bytes(box: Box) -> int:
    own = sum(len(content) for kind, content in box.contents if kind == b"cbor")
    return own + sum(map(_cbor_bytes, box.boxes))


def _claim(manifest: Box) -> dict[Any, Any]:
    box = manifest.child("c2pa.claim.v2") or manifest.child("c2pa.claim")
    return _map(_cbor(box))


def _cbor(box: Box | None) -> Any:
    content = box.content(b"cbor") if box else None
    return None if content is None else read_cbor(content)


def _map(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _generator(claim: dict[Any, Any]) -> str:
    info = claim.get("claim_generator_info")
    info = _map(info[0]) if isinstance(info, list) and info else _map(info)
    name = info.get("name") or claim.get("claim_generator")
    if not isinstance(name, str):
        return ""
    # The older field is like a browser's: "Adobe_Firefly/1.0 c2pa-rs/0.5".
    return shown(name if info.get("name") else name.split(" ")[0].split("/")[0].replace("_", " "))


def _signer(manifest: Box) -> str:
    parts = _list(_cbor(manifest.child("c2pa.signature")))
    if len(parts) < 2:
        return ""
    protected = _map(read_cbor(parts[0])) if isinstance(parts[0], bytes) and parts[0] else {}
    headers = _map(parts[1]) | protected
    chain = headers.get(_CHAIN, headers.get("x5chain"))
    first = chain[0] if isinstance(chain, list) and chain else chain
    return subject_of(first) if isinstance(first, bytes) else ""


def _assertions(manifest: Box, name: str) -> Iterator[dict[Any, Any]]:
    """The assertions of a label, its versions (.v2) and its instances (__1)."""
    store = manifest.child("c2pa.assertions")
    for box in store.boxes if store else ():
        if box.label.split("__")[0].split(".v")[0] == name and (content := box.content(b"cbor")) is not None:
            yield _map(read_cbor(content))


def _actions(manifest: Box) -> list[dict[Any, Any]]:
    return [_map(one) for found in _assertions(manifest, "c2pa.actions") for one in _list(found.get("actions"))][
        :MAX_ACTIONS
    ]


def _source_types(active: Box, manifests: dict[str, Box]) -> tuple[list[str], list[str]]:
    """Source types of a manifest and its parents, and of its ingredients; each manifest is visited once."""
    own: list[str] = []
    placed: list[str] = []
    waiting, visited = [(active, own)], {active.label}
    while waiting and len(visited) <= MAX_ANCESTORS:
        manifest, into = waiting.pop(0)
        types = (one.get("digitalSourceType") for one in _actions(manifest))
        into += [shown(one, 200) for one in types if isinstance(one, str)]
        for ingredient in _assertions(manifest, "c2pa.ingredient"):
            link = _map(ingredient.get("activeManifest") or ingredient.get("c2pa_manifest")).get("url")
            label = link.rpartition("/")[2] if isinstance(link, str) else ""
            if label in manifests and label not in visited:
                visited.add(label)
                is_parent = ingredient.get("relationship") == "parentOf"
                waiting.append((manifests[label], into if is_parent else placed))
    return own, placed


def _fits(manifest: Box, claim: dict[Any, Any], file: bytes) -> bool | None:
    # A manifest has one hard binding.
    binding = next(_assertions(manifest, "c2pa.hash.data"), None)
    if not _assertions_fit(manifest, claim):
        return False
    # The hashes of the assertions alone say nothing of the file.
    return None if binding is None else _file_fits(binding, claim, file)


def _assertions_fit(manifest: Box, claim: dict[Any, Any]) -> bool:
    """Whether the assertions are those that the claim lists, by their hashes."""
    store = manifest.child("c2pa.assertions")
    boxes = {box.label: box for box in store.boxes} if store else {}
    lists = (claim.get("assertions"), claim.get("created_assertions"), claim.get("gathered_assertions"))
    for reference in [_map(one) for many in lists for one in _list(many)][:MAX_ACTIONS]:
        url, digest = reference.get("url"), reference.get("hash")
        box = boxes.get(url.rpartition("/")[2]) if isinstance(url, str) else None
        algorithm = reference.get("alg") or claim.get("alg") or "sha256"
        comparable = box is not None and isinstance(digest, bytes) and algorithm in _HASHES
        if box and comparable and hashlib.new(algorithm, box.hashed).digest() != digest:
            return False
    return True


def _file_fits(binding: dict[Any, Any], claim: dict[Any, Any], file: bytes) -> bool | None:
    """Whether the bytes of the file outside of the exclusions have the hash of a c2pa.hash.data assertion."""
    digest, algorithm = binding.get("hash"), binding.get("alg") or claim.get("alg") or "sha256"
    if not isinstance(digest, bytes) or algorithm not in _HASHES:
        return None
    ranges = []
    for one in _list(binding.get("exclusions"))[:MAX_EXCLUSIONS]:
        start, length = _map(one).get("start"), _map(one).get("length")
        if not isinstance(start, int) or not isinstance(length, int) or start < 0 or length < 0:
            return None
        ranges.append((start, start + length))
    hasher = hashlib.new(algorithm)
    at = 0
    view = memoryview(file)
    for start, end in sorted(ranges):
        hasher.update(view[at : max(at, start)])
        at = max(at, end)
    hasher.update(view[at:])
    return hasher.digest() == digest
