"""What an evaluation means, in plain sentences for the top of a report."""

from __future__ import annotations

from collections.abc import Sequence

from train.evaluate.evaluation import Evaluation, Group
from train.evaluate.formatting import percent, percent_with_interval

FEW = 100
"""Below so many pictures of a class, a sentence warns that the figures are rough."""


def catches(evaluation: Evaluation) -> tuple[str, ...]:
    """Sentences on what the detector catches, at the strict shipped threshold."""
    sentences = [
        f"At the strict shipped threshold it calls {percent_with_interval(evaluation.fakes.fpr_1)} of the fakes "
        f"fake, and {percent_with_interval(evaluation.reals.fpr_1)} of the real faces, which is a false alarm "
        "(it was set for at most 1 % on the validation pictures)."
    ]
    best = [group for group in evaluation.generators if group.called.fpr_1.value >= 0.9]
    if best:
        sentences.append(f"It catches at least nine in ten of the fakes from {_names(best)}.")
    auc = evaluation.overall.auc
    sentences.append(
        f"Shown one real and one fake face, it ranks the fake higher {percent_with_interval(auc)} of the time "
        "(this is the AUC; 50 % is guessing)."
    )
    return tuple(sentences)


def misses(evaluation: Evaluation) -> tuple[str, ...]:
    """Sentences on what the detector misses, wrongly accuses or leaves open; never empty."""
    sentences = []
    weak = sorted(
        (group for group in evaluation.generators if group.called.fpr_1.value < 0.9),
        key=lambda group: group.called.fpr_1.value,
    )
    for group in weak[:3]:
        missed = 1 - group.called.fpr_1.value
        known = "" if group.seen else _strangeness(group, evaluation)
        sentences.append(f"It misses {percent(missed)} of the fakes from {group.name}{known}.")
    if len(weak) > 3:
        sentences.append(f"It also misses more than one fake in ten from {_names(weak[3:])}.")
    noisy = [source for source in evaluation.real_sources if source.called.fpr_1.low > 0.01]
    for source in noisy:
        known = "" if source.seen else ", pictures of a kind it never saw"
        sentences.append(
            f"It calls fake {percent(source.called.fpr_1.value)} of the real faces from {source.name}{known}: "
            "clearly more than the 1 % it was set for."
        )
    sentences.append(
        f"It answers “unsure” for {percent(evaluation.reals.unsure.value)} of the real faces and "
        f"{percent(evaluation.fakes.unsure.value)} of the fakes."
    )
    return tuple(sentences)


def cautions(evaluation: Evaluation) -> tuple[str, ...]:
    """Sentences on what these figures cannot say; may be empty."""
    sentences = []
    few = [group for group in evaluation.generators if group.called.n < FEW]
    if few:
        sentences.append(
            f"There are fewer than {FEW} fakes from {_names(few)}: read the intervals there, not the values."
        )
    n_real = evaluation.overall.n_real
    if n_real < 1 / 0.005:
        sentences.append(
            f"With {n_real} real pictures a false-alarm rate of 0.5 % is less than one picture: "
            "it cannot be measured here."
        )
    if not any(not group.seen for group in evaluation.generators):
        sentences.append(
            "Every generator here was in training: this report does not show results on unseen generators."
        )
    return tuple(sentences)


def _strangeness(group: Group, evaluation: Evaluation) -> str:
    if any(other.seen and other.name == group.name for other in evaluation.generators):
        return " in sources it never saw in training"
    return ", which it never saw in training"


def _names(groups: Sequence[Group]) -> str:
    names = list(dict.fromkeys(group.name for group in groups))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
