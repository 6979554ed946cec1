"""The licence of trained weights as SPDX says it: one entry of a recipe's `licences` carries the tag.

`SPDX-License-Identifier: CC-BY-NC-4.0` travels as text in the detector file, the bundle, TFLite's own metadata and the
model card. SPDX 2.3, annex E, has the tag, annex D the expressions.
"""

import re
from collections.abc import Iterable

TAG = "SPDX-License-Identifier:"


def spdx_of(licences: Iterable[str]) -> str | None:
    """The expression of the first entry that carries the tag; None where none does."""
    return next((one.strip()[len(TAG) :].strip() for one in licences if one.strip().startswith(TAG)), None)


def licence_page(identifier: str) -> str:
    """The address of the page that SPDX has on a licence; ValueError for what is not one identifier of its list.

    Expressions (`MIT OR Apache-2.0`) and licences of one's own (`LicenseRef-NAME`) have no page there.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        canonical = str(canonicalize_license_expression(identifier))
    except InvalidLicenseExpression:
        canonical = ""
    if not re.fullmatch(r"[A-Za-z0-9.-]+", canonical) or canonical.startswith("LicenseRef-"):
        raise ValueError(f"{identifier!r} is not an SPDX licence identifier such as CC-BY-4.0")
    if canonical != identifier:
        raise ValueError(f"{identifier!r} is spelt differently in the SPDX list: write {canonical}")
    return f"https://spdx.org/licenses/{identifier}.html"


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
                f"{expression!r} is not an SPDX licence expression such as Apache-2.0, CC-BY-NC-4.0 or LicenseRef-NAME"
            ) from None
        if canonical != expression:
            raise ValueError(f"{expression!r} is spelt differently in SPDX: write {canonical}")
    return licences
