"""The page for other apps gives code that is compiled and run."""

from __future__ import annotations

import re
import textwrap

from android_demo.apk import layout


def test_the_function_that_scores_a_picture_is_the_tested_one() -> None:
    page = (layout.REPOSITORY / "docs" / "guide-android.md").read_text(encoding="utf-8")
    (given,) = re.findall(r"```kotlin\n(.*?)```", page, re.DOTALL)
    test = layout.DEMO / "core" / "src" / "test" / "kotlin" / "fauxlens" / "core" / "ScoreAPictureTest.kt"
    code = test.read_text(encoding="utf-8").replace("private fun score", "fun score")
    assert textwrap.indent(given, "    ") in code
    assert len(given.splitlines()) <= 20
