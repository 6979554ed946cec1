"""The words by which datasets call classes and splits, and what they mean here."""

import re
from collections.abc import Iterable

_LABELS = {
    "real": "real|authentic|genuine|natural|nature",
    "fake": "fake|ai|generated|ai[ _-]?generated|synthetic|deepfake",
}
_SPLITS = {
    "train": "train|training",
    "val": "val|valid|validation|dev",
    "test": "test|testing",
}
# `0_real`, `training_real`, `real_train`, `fakes`, `real_images`.
_SPLIT_WORD = "|".join(_SPLITS.values())
_BEFORE = rf"(?:[0-9]+[ _.-]|(?:{_SPLIT_WORD})[ _-])?"
_BEHIND = rf"s?(?:[ _-](?:images?|faces?|photos?|pictures?))?(?:[ _-](?:{_SPLIT_WORD}))?"
_LABEL_PATTERNS = {
    label: re.compile(rf"{_BEFORE}(?:{words}){_BEHIND}", re.ASCII | re.IGNORECASE) for label, words in _LABELS.items()
}
# `train`, and with what parts of one are called behind it: `train-00000-of-00010`.
_SPLIT_PATTERNS = {
    split: re.compile(rf"(?:{words})(?:[ _.-]?[0-9].*)?", re.ASCII | re.IGNORECASE) for split, words in _SPLITS.items()
}
_INSIDE_PATTERNS = {
    split: re.compile(rf"(?:.*[ _-])?(?:{words})(?:[ _.-].*)?", re.ASCII | re.IGNORECASE)
    for split, words in _SPLITS.items()
}


def label_of_word(text: str) -> str | None:
    """Return real or fake for a word that datasets use for it, such as `Real`, `0_real` or `training_fake`; else None.

    Numbers alone mean nothing: datasets do not agree on which is which.
    """
    text = text.strip()
    return next((label for label, pattern in _LABEL_PATTERNS.items() if pattern.fullmatch(text)), None)


def split_of_word(text: str, *, inside: bool = False) -> str | None:
    """Return train, val or test for a word that datasets use for it, such as `valid` or `Testing`; else None.

    With `inside` it may be a part of the text, as in `real_test`.
    """
    patterns = _INSIDE_PATTERNS if inside else _SPLIT_PATTERNS
    return next((split for split, pattern in patterns.items() if pattern.fullmatch(text.strip())), None)


def official_splits(words: Iterable[str]) -> dict[str, str]:
    """Return what a dataset's own names of splits mean here, as `Rule.split`; empty where they do not make sets.

    Where only one set is held out it is the test split, and `train+val` shares the rest out by hash: what a dataset
    keeps apart is never trained on, and there is always something to validate with.
    """
    usual = {word: split for word in words if (split := split_of_word(word, inside=True))}
    held_out = {split for split in usual.values() if split != "train"}
    if "train" not in usual.values() or not held_out:
        return {}
    if len(held_out) == 2:
        return usual
    return {word: "train+val" if split == "train" else "test" for word, split in usual.items()}
