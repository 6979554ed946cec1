"""Which extra of pyproject.toml brings a package, and the sentence for a person who lacks one."""

import sys

EXTRAS = {
    "train": (
        "tensorflow",
        "tf_keras",
        "tensorflow_model_optimization",
        "tf_keras_vis",
        "tensorboard",
        "cv2",
        "polars",
        "pydantic",
        "pydantic_core",
        "sklearn",
        "threadpoolctl",
        "scipy",
        "faiss",
        "requests",
        "filelock",
        "matplotlib",
        "jinja2",
        "flatbuffers",
        "tomli_w",
        "h5py",
        "safetensors",
        "packaging",
    ),
    "faces": ("mtcnn",),
    "facenet": ("keras_facenet",),
    "hubs": ("kagglehub", "huggingface_hub"),
    "scale": ("distributed",),
    "benchmark": ("onnxruntime", "openvino", "onnx", "tf2onnx"),
}
"""Names of top-level modules by the extra that brings them."""

# TensorFlow 2.21 with tensorflow-model-optimization 0.8.1 is proven on this version only; pyproject.toml says so, too.
TENSORFLOW_PYTHON = (3, 11)
_ONLY_THERE = {
    "tensorflow",
    "tf_keras",
    "tensorflow_model_optimization",
    "tf_keras_vis",
    "tensorboard",
    "mtcnn",
    "keras_facenet",
}


def install_command(extra: str = "") -> str:
    """The command that installs Fauxlens with an extra from the folder of its source; no package index has it."""
    return f"pip install '.[{extra}]'" if extra else "pip install ."


def missing_sentence(module: str | None, python: tuple[int, ...] = sys.version_info[:2]) -> str | None:
    """What to do where the module of this name cannot be imported; None for a module that no extra brings."""
    top = (module or "").split(".")[0]
    extra = next((name for name, modules in EXTRAS.items() if top in modules), None)
    if extra is None:
        return None
    if top in _ONLY_THERE and tuple(python[:2]) != TENSORFLOW_PYTHON:
        wanted = ".".join(map(str, TENSORFLOW_PYTHON))
        return (
            f"This needs {top}, which Fauxlens uses on Python {wanted} only (this is {python[0]}.{python[1]}): make an "
            f"environment with Python {wanted} and run {install_command(extra)} in Fauxlens's source folder."
        )
    return (
        f"This needs the package {top}, which the extra '{extra}' brings: run {install_command(extra)} in Fauxlens's "
        "source folder."
    )
