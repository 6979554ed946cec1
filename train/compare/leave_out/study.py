"""A study of what detectors make of generators and sources that they never saw, from trainings to its report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.common.atomic import write_text
from train.common.errors import TrainError
from train.common.parts import WorkPart
from train.common.progress import ProgressCallback
from train.compare.leave_out.figures import SchemeResult, evaluate_scheme
from train.compare.leave_out.page import page
from train.compare.leave_out.plans import SchemePlan, make_plans
from train.compare.leave_out.tables import leave_out_csv, leave_out_latex, leave_out_markdown
from train.data.manifest import read_manifest
from train.evaluate.plain import to_plain
from train.fit.run_folder import Run, has_state
from train.fit.train_missing import run_name, runs_in, train_missing
from train.recipe import Recipe

FORMAT = 1
"""Version of loo.json."""
RUNS = "runs"


@dataclass(frozen=True)
class Training:
    """One training of a study: a plan of a scheme with one seed."""

    name: str
    plan: str
    scheme: str
    seed: int
    recipe: Recipe


@dataclass(frozen=True)
class Study:
    """What is asked for: a manifest, a folder, the schemes, and all trainings in the order in which they are made.

    Seeds come one after the other, so that whoever stops early has every plan once.
    """

    manifest_path: Path
    folder: Path
    base: Recipe
    plans: tuple[SchemePlan, ...]
    trainings: tuple[Training, ...]


@dataclass(frozen=True)
class StudyPaths:
    """The files of a study's report."""

    html: Path
    json: Path
    csv: Path
    markdown: Path
    latex: Path


def plan_study(
    manifest_path: Path, folder: Path, base: Recipe, schemes: Sequence[str], seeds: int, only: Sequence[str] = ()
) -> Study:
    """Work out the trainings of a study, of so many seeds from the recipe's own on; nothing is written.

    Raises TrainError where a scheme does not fit the manifest or is asked for twice, and what reading it raises.
    """
    if len(set(schemes)) < len(schemes) or not schemes:
        raise TrainError(f"--scheme {','.join(schemes)} names no scheme, or one twice: name each scheme once.")
    manifest = read_manifest(manifest_path)
    plans = tuple(make_plans(scheme, manifest.frame, base, only) for scheme in schemes)
    trainings = tuple(
        Training(f"{plan.name}-seed-{seed}", plan.name, one.scheme, seed, plan.recipe(base, seed))
        for seed in range(base.fit.seed, base.fit.seed + seeds)
        for one in plans
        for plan in one.plans
    )
    return Study(manifest_path, folder, base, plans, trainings)


def trainings_in(study: Study, part: WorkPart) -> tuple[Training, ...]:
    """The trainings of a part: every `count`-th, from the `number`-th on, so that all parts have equally many."""
    return study.trainings[part.number - 1 :: part.count]


def train_part(study: Study, part: WorkPart, **callbacks: Any) -> None:
    """Train what is missing of a part of a study.

    Takes the callbacks of `train_missing`, and raises what it raises.
    """
    train_missing(
        [one.recipe for one in trainings_in(study, part)], study.manifest_path, study.folder / RUNS, **callbacks
    )


def missing_trainings(study: Study) -> tuple[Training, ...]:
    """The trainings that are not finished."""
    there = _finished(study)
    return tuple(one for one in study.trainings if one.recipe.sha256 not in there)


def report_study(
    study: Study,
    *,
    resamples: int = 1000,
    on_progress: ProgressCallback = lambda done, total: None,
) -> tuple[tuple[SchemeResult, ...], StudyPaths]:
    """Evaluate a study whose trainings are all finished, and write its report in five forms."""
    there, manifest = _finished(study), read_manifest(study.manifest_path)
    results = []
    total, done = sum(len(one.plans) for one in study.plans), 0
    for plans in study.plans:
        runs: dict[str, list[Run]] = {}
        for one in study.trainings:
            if one.scheme == plans.scheme:
                runs.setdefault(one.plan, []).append(there[one.recipe.sha256])
        before = done

        def count(number: int, _: int, before: int = before) -> None:
            on_progress(before + number, total)

        results.append(evaluate_scheme(plans, runs, manifest, resamples=resamples, on_progress=count))
        done += len(plans.plans)
    return tuple(results), _write(study, results)


def _finished(study: Study) -> dict[str, Run]:
    there = runs_in(study.folder / RUNS, study.manifest_path)
    return {sha256: run for sha256, run in there.items() if has_state(run, "float")}


def _write(study: Study, results: Sequence[SchemeResult]) -> StudyPaths:
    paths = StudyPaths(*(study.folder / f"loo.{kind}" for kind in ("html", "json", "csv", "md", "tex")))
    title = f"{study.base.title}: what is new to it"
    document = {
        "format": FORMAT,
        "title": title,
        "manifest": study.manifest_path.name,
        "schemes": [to_plain(one) for one in results],
        "trainings": [
            {"name": one.name, "scheme": one.scheme, "plan": one.plan, "seed": one.seed, "run": run_name(one.recipe)}
            for one in study.trainings
        ],
        "recipe": study.base.text,
    }
    write_text(paths.json, json.dumps(document, indent=1, allow_nan=False) + "\n")
    write_text(paths.csv, leave_out_csv(results))
    write_text(paths.markdown, leave_out_markdown(results))
    write_text(paths.latex, leave_out_latex(results))
    write_text(paths.html, page(results, title, study.base.text))
    return paths
