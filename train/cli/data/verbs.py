"""The table of the verbs of `fauxlens data`, in the order of use."""

from train.cli.app import App, VerbEntry, group_of

DATA_VERBS = {
    "list": VerbEntry(
        "train.cli.data.list:list_verb",
        "List the dataset cards that come with Fauxlens: contents, licence and how to get them.",
    ),
    "get": VerbEntry(
        "train.cli.data.get:get_verb",
        "Download a dataset as its card says. To resume an interrupted download, run it again.",
    ),
    "sample": VerbEntry(
        "train.cli.data.sample:sample_verb",
        "Draw sample data: simple portraits that exercise the pipeline. They are not real faces.",
    ),
    "scan": VerbEntry(
        "train.cli.data.scan:scan_verb",
        "Scan a folder of pictures into a manifest: one row per image, near-duplicates grouped, splits assigned.",
    ),
    "show": VerbEntry(
        "train.cli.data.show:show_verb",
        "Draw a contact sheet (PNG) of samples of each generator, with --augment as training sees them.",
    ),
    "merge": VerbEntry(
        "train.cli.data.merge:merge_verb",
        "Merge manifests, or the parts of one. A picture in several manifests gets one group and one split.",
    ),
    "faces": VerbEntry(
        "train.cli.data.faces:faces_verb",
        "Find faces and write the eye positions into the manifest, for views with face(K).",
    ),
    "reconstruct": VerbEntry(
        "train.cli.data.reconstruct:reconstruct_verb",
        "Make fakes from your own real pictures with an autoencoder; nothing else differs from the originals.",
    ),
    "audit": VerbEntry(
        "train.cli.data.audit:audit_verb",
        "Check data for leaks, conflicting labels and file-format shortcuts. Exit status 1 if a check fails.",
    ),
    "split": VerbEntry(
        "train.cli.data.split:split_verb",
        "Split a manifest again by group: shares, k folds, or generators left out of training.",
    ),
    "croissant": VerbEntry(
        "train.cli.data.croissant:croissant_verb",
        "Describe a manifest as Croissant (JSON-LD), for Hugging Face, Kaggle and dataset search.",
    ),
    "pack": VerbEntry(
        "train.cli.data.pack:pack_verb",
        "Preprocess all pictures once, so that training need not decode them. `train` does this automatically.",
    ),
}

data_app = App(cls=group_of(DATA_VERBS), no_args_is_help=True, add_completion=False)


@data_app.callback()
def data_root() -> None:
    """Download, scan, check, split and pack data."""
