"""The licence of weights: one SPDX expression among free notes, or a sentence on what is wrong with it."""

import pytest

from train.common.spdx import checked_licences, licence_page, spdx_of


def test_the_tagged_entry_is_the_licence() -> None:
    notes = ("Pictures: mixed.", "SPDX-License-Identifier: CC-BY-NC-4.0 AND LicenseRef-Pictures")
    assert checked_licences(notes) == notes
    assert spdx_of(notes) == "CC-BY-NC-4.0 AND LicenseRef-Pictures"
    assert spdx_of(checked_licences(("Drawn.",))) is None


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (("SPDX-License-Identifier: cc-by-nc-4.0",), "write CC-BY-NC-4.0"),
        (("SPDX-License-Identifier: whatever",), "not an SPDX licence expression such as"),
        (("SPDX-License-Identifier:",), "not an SPDX licence expression"),
        (("SPDX-License-Identifier: MIT", "SPDX-License-Identifier: ISC"), "2 entries"),
    ],
)
def test_what_spdx_does_not_know_is_refused(entries: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        checked_licences(entries)


def test_a_licence_has_a_page_by_its_identifier() -> None:
    assert licence_page("CC-BY-4.0") == "https://spdx.org/licenses/CC-BY-4.0.html"
    for text, words in (
        ("cc-by-4.0", "write CC-BY-4.0"),
        ("Free for all", "not an SPDX licence identifier"),
        ("MIT OR ISC", "not an SPDX licence identifier"),
        ("LicenseRef-Mine", "not an SPDX licence identifier"),
        ("", "not an SPDX licence identifier"),
    ):
        with pytest.raises(ValueError, match=words):
            licence_page(text)
