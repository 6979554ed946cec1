"""The licence of trained weights as SPDX says it: one entry of a recipe's `licences` carries the tag.

`SPDX-License-Identifier: CC-BY-NC-4.0` travels as text in the detector file, the bundle, TFLite's own metadata and the
model card. SPDX 2.3, annex E, has the tag, annex D the expressions.
"""

from collections.abc import Iterable

TAG = "SPDX-License-Identifier:"


def spdx_of(licences: Iterable[str]) -> str | None:
    """The expression of the first entry that carries the tag; None where none does."""
    return next((one.strip()[len(TAG) :].strip() for one in licences if one.strip().startswith(TAG)), None)


def checked_licences(licences: tuple[str, ...]) -> tuple[str, ...]:
    """The entries as they are; ValueError for two with the tag, or one whose expression SPDX does not know.

    A licence of one's own is `LicenseRef-NAME`.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    tagged = [one for one in licences if one.strip().startswith(TAG)]
    if len(tagged) > 1:
        raise ValueError(f"{len(tagged)} entries begin with {TAG}: join them by AND or OR")
    if tagged:
        expression = spdx_of(tagged) or ""
        try:
            canonical = canonicalize_license_expression(expression)
        except InvalidLicenseExpression:
            raise ValueError(
                f"{expression!r} is no licence expression of SPDX, such as Apache-2.0, CC-BY-NC-4.0 or LicenseRef-NAME"
            ) from None
        if canonical != expression:
            raise ValueError(f"{expression!r} is no licence expression of SPDX as it is spelt: write {canonical}")
    return licences
