"""A manifest as Croissant, the JSON-LD that dataset search engines and hubs read about machine-learning data.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html. The manifest's CSV is the one resource, each
column is a field, and pictures are named by their path and SHA-256.
"""

from typing import Any
from urllib.parse import urlsplit

import polars as pl

from train.common.errors import DataError
from train.common.spdx import licence_page
from train.data.manifest import SCHEMA, Manifest, attributes_of

VERSION = "http://mlcommons.org/croissant/1.0"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification asks for."""
_TYPES: dict[type[pl.DataType], str] = {pl.String: "sc:Text", pl.Int64: "sc:Integer", pl.Float64: "sc:Float"}
_WORDS = {
    "path": "The picture, relative to the manifest's folder.",
    "sha256": "SHA-256 of the file.",
    "phash": "Perceptual hash, 64 bits.",
    "label": "real or fake.",
    "generator": "What made the picture; camera for real ones.",
    "family": "Kind of maker: camera, gan, diffusion, edit, reconstruction, unknown.",
    "source": "Where it was collected.",
    "group": "Pictures that must stay in one split.",
    "split": "train, val or test.",
    "faces": "Number of faces found; empty if faces were not detected.",
    "jpeg_quality": "Estimated JPEG quality, 1 to 100; nothing for other formats.",
}


def croissant(
    manifest: Manifest, file: str, sha256: str, *, name: str, licence: str = "", url: str = "", citation: str = ""
) -> dict[str, Any]:
    """Describe a manifest, whose CSV is called `file` and has this SHA-256, as a Croissant 1.0 document.

    licence: an SPDX identifier or an address; url: the address of the dataset's page. Raises DataError for a licence
    that is neither, and a url that is no address.
    """
    frame = manifest.frame
    counts = ", ".join(
        f"{row['len']:,} {row['label']}"
        for row in frame.group_by("label").len().sort("label", descending=True).to_dicts()
    )
    sources = ", ".join(sorted(set(frame["source"])))
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": name,
        "description": f"{counts} pictures of faces from {sources}: one row each, with file facts, label and split.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "manifest",
                "name": file,
                "description": "One row a picture.",
                "contentUrl": file,
                "encodingFormat": "text/csv",
                "sha256": sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "pictures",
                "name": "pictures",
                "key": {"@id": "pictures/path"},
                "field": [_field(column) for column in (*SCHEMA, *attributes_of(frame))],
            }
        ],
    }
    given = {"license": _licence(licence), "url": url and _address(url, "--url"), "citeAs": citation}
    return document | {key: value for key, value in given.items() if value}


def _field(column: str) -> dict[str, Any]:
    kind = _TYPES[SCHEMA.get(column, pl.String)]
    return {
        "@type": "cr:Field",
        "@id": f"pictures/{column}",
        "name": column,
        "description": _WORDS.get(column, f"Column {column} of the manifest."),
        "dataType": kind,
        "source": {"fileObject": {"@id": "manifest"}, "extract": {"column": column}},
    }


def _licence(licence: str) -> str:
    """An address: of an SPDX identifier that of its page."""
    if not licence or ":" in licence or "/" in licence:
        return licence and _address(licence, "--licence")
    try:
        return licence_page(licence)
    except ValueError as error:
        raise DataError(
            f"--licence {error}; for a licence that is not in the list give its https:// address."
        ) from None


def _address(text: str, option: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or not text.isprintable() or " " in text:
        raise DataError(f"{option} {text!r} is not a web address: give one that begins with https://.")
    return text
