"""Training feeds the backbone what the exported graph feeds it: the same planes, for every front end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ela.front_ends import FRONT_ENDS, parse_front_end
from train.common.tf import load_tensorflow
from train.data.cards.reader import read_card
from train.data.scan.scan import scan
from train.data.store import Store, pack
from train.fit.batches import SplitRows, training_batches
from train.image.view import parse_view
from train.model import scale_pixels
from train.recipe import Augment

TEXTS = ("rgb", "ela", "ela(75,444,x7)", "ela(95,420)", "rgb+ela", "npr", "srm", "rgb+npr+srm")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Forty portraits of the built-in sample, packed as a training packs them."""
    from train.data.sample.make import make_sample

    folder: Path = tmp_path_factory.mktemp("same-input")
    make_sample(folder / "sample", count=40, size=96, seed=8)
    card = read_card(Path(__file__).parents[3] / "datasets" / "drawn-sample.toml")
    manifest, _ = scan(folder / "sample", card, manifest_path=folder / "manifest.csv")
    return pack(manifest, parse_view("upright|square|resize(96)"), folder / "packed")


def test_every_front_end_is_tried() -> None:
    assert {part.split("(")[0] for text in TEXTS for part in text.split("+")} == set(FRONT_ENDS)


@pytest.mark.parametrize("text", TEXTS)
def test_training_reads_what_the_exported_graph_computes(drawn: Store, text: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    tf = load_tensorflow()
    front_end = parse_front_end(text)
    count = len(drawn.pixels)
    rows = SplitRows(np.arange(count), np.zeros(count, bool), np.ones(count, np.float32))
    batches = training_batches(
        drawn, rows, front_end=front_end, settings=Augment(flip=0.0), batch_size=count, seed=(1,)
    )
    ((read, _, _),) = list(batches)
    order = np.random.default_rng((1,)).permutation(count)

    def graph(image: Any) -> Any:
        return front_end.graph(tf, tf.cast(image, tf.float32))

    spec = tf.TensorSpec([1, 96, 96, 3], tf.uint8)
    function = tf.function(graph, input_signature=[spec], autograph=False).get_concrete_function()
    interpreter = Interpreter(model_content=tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
    interpreter.allocate_tensors()
    image, planes = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    differing = 0
    for position, row in enumerate(order):
        interpreter.set_tensor(image, drawn.pixels[row : row + 1])
        interpreter.invoke()
        scaled = scale_pixels(interpreter.get_tensor(planes)[0])
        differing += int(np.count_nonzero(scaled != read[position]))
    assert differing == 0
    # What is compared is not the same everywhere: a plane of one value would agree with anything.
    assert min(np.ptp(read[..., channel]) for channel in range(front_end.channels)) > 0
