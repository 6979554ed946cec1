"""The graph equals Pillow in every value: eagerly, traced, and converted to TFLite, on every kernel set there is."""

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ela.front_ends import FrontEnd, parse_front_end
from ela.graph import descaled, error_level_graph
from ela.jpeg import FORWARD_COLUMNS_BITS, INVERSE_COLUMNS_BITS, INVERSE_ROWS_BITS, dct_matrix
from ela.setting import SAMPLINGS, Ela
from train.common.errors import ElaError
from train.common.tf import load_tensorflow
from train.model import scale_pixels

ROOT = Path(__file__).parents[2]
FACES = ROOT / "../shared/faces"
KERNELS = ("AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF")

Views = npt.NDArray[np.uint8]


def noise(rng: np.random.Generator, size: int) -> Views:
    return rng.integers(0, 256, (size, size, 3), np.uint8)


def extremes(rng: np.random.Generator, size: int) -> Views:
    return rng.choice(np.array([0, 255], np.uint8), (size, size, 3))


def flat(rng: np.random.Generator, size: int) -> Views:
    return np.full((size, size, 3), rng.integers(0, 256, 3, np.uint8), np.uint8)


def gradient(rng: np.random.Generator, size: int) -> Views:
    across, down = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    slopes = rng.uniform(-200, 200, (2, 3))
    plane = 128 + across[..., None] * slopes[0] + down[..., None] * slopes[1]
    return np.clip(plane, 0, 255).astype(np.uint8)


def smooth(rng: np.random.Generator, size: int) -> Views:
    coarse = Image.fromarray(noise(rng, max(2, size // 8)))
    fine = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(fine + rng.normal(0, 3, fine.shape), 0, 255).astype(np.uint8)


KINDS = (noise, extremes, flat, gradient, smooth)


def one_of_each(size: int, seed: int) -> Views:
    rng = np.random.default_rng(seed)
    return np.stack([kind(rng, size) for kind in KINDS])


def converted(front: FrontEnd, size: int, *, optimised: bool = False, scaled: bool = False) -> bytes:
    tf = load_tensorflow()

    @tf.function(input_signature=[tf.TensorSpec([1, size, size, 3], tf.uint8)])
    def detector(image: Any) -> Any:
        planes = front.graph(tf, tf.cast(image, tf.float32))
        return scale_pixels(planes) if scaled else planes

    converter = tf.lite.TFLiteConverter.from_concrete_functions([detector.get_concrete_function()])
    if optimised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    model: bytes = converter.convert()
    return model


def interpreter(model: bytes, kernels: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    opened = Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=OpResolverType[kernels])
    opened.allocate_tensors()
    return opened


def run(opened: Any, views: Views) -> np.ndarray:
    results = []
    for view in views:
        opened.set_tensor(opened.get_input_details()[0]["index"], view[None])
        opened.invoke()
        results.append(opened.get_tensor(opened.get_output_details()[0]["index"])[0])
    return np.stack(results)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    quality=st.integers(50, 100),
    sampling=st.sampled_from(sorted(SAMPLINGS)),
    units=st.integers(1, 8),
    gain=st.sampled_from([1, 15, 40]),
    seed=st.integers(0, 2**32 - 1),
)
def test_graph_equals_pillow(kind: Any, quality: int, sampling: str, units: int, gain: int, seed: int) -> None:
    tf = load_tensorflow()
    front = parse_front_end(f"ela({quality},{sampling},x{gain})")
    views = kind(np.random.default_rng(seed), units * 16 if sampling == "420" else units * 8)[None]
    np.testing.assert_array_equal(front.graph(tf, views.astype(np.float32)), front.planes(views))


@pytest.mark.parametrize("text", ["ela(1,420,x1)", "ela(25,444,x3)", "ela(49,420)", "ela(50,444)", "ela(100,420,x255)"])
def test_graph_equals_pillow_at_the_ends_of_the_quality_scale(text: str) -> None:
    tf = load_tensorflow()
    front = parse_front_end(text)
    views = one_of_each(64, seed=7)
    np.testing.assert_array_equal(front.graph(tf, views.astype(np.float32)), front.planes(views))


@pytest.mark.parametrize("bits", [FORWARD_COLUMNS_BITS, INVERSE_COLUMNS_BITS, INVERSE_ROWS_BITS])
def test_sums_beyond_24_bits_are_exact(bits: int) -> None:
    # Pictures reach them too seldom to rely on: whole-number arithmetic is the reference here.
    tf = load_tensorflow()
    samples = np.random.default_rng(5).integers(-(1 << 13), 1 << 13, (1, 128, 128, 8))
    exact = (samples @ dct_matrix() + (1 << (bits - 1))) >> bits
    np.testing.assert_array_equal(descaled(tf, samples.astype(np.float32), dct_matrix(), bits), exact)


def test_a_traced_batch_equals_pillow() -> None:
    tf = load_tensorflow()
    front = parse_front_end("rgb+ela(90)")
    views = one_of_each(48, seed=1)

    @tf.function(input_signature=[tf.TensorSpec([None, 48, 48, 3], tf.float32)])
    def traced(image: Any) -> Any:
        return front.graph(tf, image)

    planes = front.planes(views)
    assert planes.shape == (len(views), 48, 48, front.channels)
    np.testing.assert_array_equal(traced(views.astype(np.float32)), planes)


@pytest.mark.parametrize(
    "text, size",
    [
        ("ela(90,420,x1)", 96),
        ("ela(75,444)", 72),
        ("ela(95,420)", 16),
        ("rgb+ela", 64),
        ("rgb+npr+srm", 50),
        ("npr(x16)", 34),
        ("srm(x64)", 33),
    ],
)
def test_tflite_equals_pillow_on_every_kernel_set(text: str, size: int) -> None:
    front = parse_front_end(text)
    model = converted(front, size)
    views = one_of_each(size, seed=2)
    expected = front.planes(views)
    assert np.unique(expected).size > 10
    for kernels in KERNELS:
        np.testing.assert_array_equal(run(interpreter(model, kernels), views), expected, err_msg=kernels)


@pytest.mark.parametrize("text", ["ela(90,420)", "ela(90,444)", "npr", "srm", "rgb+npr"])
def test_optimize_default_leaves_the_planes_exact(text: str) -> None:
    # The int8 detector is converted this way; weights of 1024 elements or more would become 8 bits.
    front = parse_front_end(text)
    model = converted(front, 224, optimised=True)
    opened = interpreter(model, "AUTO")
    dtypes = {np.dtype(tensor["dtype"]).name for tensor in opened.get_tensor_details()}
    assert "int8" not in dtypes
    views = one_of_each(224, seed=3)
    np.testing.assert_array_equal(run(opened, views), front.planes(views))


@pytest.mark.parametrize("text", ["ela(90,420)", "ela(90,444)", "npr", "srm", "rgb+ela", "rgb+npr+srm"])
def test_xnnpack_takes_the_whole_graph_as_one_partition(text: str) -> None:
    opened = interpreter(converted(parse_front_end(text), 64, scaled=True), "AUTO")
    # An op that XNNPACK refuses would split the graph around it into two partitions: one at the end of a front end too,
    # for the backbone's scaling comes after it.
    names = [op["op_name"] for op in opened._get_ops_details()]
    assert names.count("DELEGATE") == 1


@pytest.mark.parametrize("text, size", [("ela(90,420)", 96), ("ela(75,420)", 128), ("ela(95,444)", 128)])
def test_tflite_equals_pillow_on_faces(text: str, size: int) -> None:
    if not FACES.is_dir():
        pytest.skip(f"no face pictures at {FACES.name}: they live beside the project on the working machine only")
    paths = sorted(
        path for folder in sorted(FACES.iterdir()) if folder.is_dir() for path in sorted(folder.iterdir())[:4]
    )
    views = np.stack(
        [np.asarray(Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)) for path in paths]
    )
    assert len(views) >= 30
    front = parse_front_end(text)
    model = converted(front, size)
    for kernels in KERNELS[:2]:
        np.testing.assert_array_equal(run(interpreter(model, kernels), views), front.planes(views), err_msg=kernels)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="kernels are limited on x86 only")
def test_tflite_equals_pillow_on_a_machine_without_512_bit_registers(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(LIMITED_RUN)
    for number, text in enumerate(("ela(75,420,x1)", "ela(95,444,x1)", "rgb+npr+srm")):
        front = parse_front_end(text)
        views = one_of_each(64, seed=11 + number)
        (tmp_path / f"{number}.tflite").write_bytes(converted(front, 64))
        np.savez(tmp_path / f"{number}.npz", views=views, planes=front.planes(views))
    limiter = ROOT / "tests" / "benchmarks" / "plain_avx2.py"
    done = subprocess.run([sys.executable, str(limiter), str(script)], capture_output=True, text=True)
    if "This machine has no AVX2" in done.stderr:
        pytest.skip("this machine has no AVX2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0"] * 6, "differing values of 3 front ends on 1 and 2 threads"


LIMITED_RUN = """
from pathlib import Path
import numpy as np
from ai_edge_litert.interpreter import Interpreter

for number in range(3):
    known = np.load(Path(__file__).parent / f"{number}.npz")
    for threads in (1, 2):
        opened = Interpreter(str(Path(__file__).parent / f"{number}.tflite"), num_threads=threads)
        opened.allocate_tensors()
        differing = 0
        for view, planes in zip(known["views"], known["planes"]):
            opened.set_tensor(opened.get_input_details()[0]["index"], view[None])
            opened.invoke()
            differing += (opened.get_tensor(opened.get_output_details()[0]["index"])[0] != planes).sum()
        print(differing)
"""


def test_the_graph_refuses_a_size_that_does_not_fit() -> None:
    tf = load_tensorflow()
    with pytest.raises(ElaError, match=r"40 pixels.*multiple of 16"):
        error_level_graph(tf, tf.zeros([1, 40, 40, 3]), Ela())
