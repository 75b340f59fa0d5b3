"""The yardstick: plain Keras `model.fit` of a recipe's network on all cores, augmentation left out.

python -m benchmarks.model_fit --recipe fast --epochs 1
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import keras
import numpy as np

from digits.datasets.shards import Images
from digits.models import onnx_graph
from digits.models.predictor import Predictor
from digits.models.robustness import robustness
from digits.training import architecture, recipes
from digits.training.recipes import Recipe


@dataclass(frozen=True)
class Fitted:
    """What `model.fit` took and reached.

    Wall-clock and processor seconds; accuracy, 0 to 1, on the test images, and on them as people's pens draw.
    """

    image_count: int
    seconds: float
    processor_seconds: float
    accuracy: float
    redrawn_accuracy: float


def fit(recipe: Recipe, epochs: float, data: np.lib.npyio.NpzFile, seed: int = 0) -> Fitted:
    """Trains on all of the npz's training images; compiling the step is not counted.

    Of 1.5 epochs the second goes through the first half of them.
    """
    pixels, labels = data["x_train"].reshape(-1, 784), data["y_train"]
    whole, rest = int(epochs), round(epochs % 1 * len(pixels))
    steps = whole * -(-len(pixels) // recipe.batch_size) + -(-rest // recipe.batch_size)
    model = _compiled(recipe, steps)
    model.fit(pixels[: recipe.batch_size], labels[: recipe.batch_size], epochs=2, verbose=0)
    keras.utils.set_random_seed(seed)
    architecture.load(model, architecture.initial_state(recipe, seed))
    model.optimizer.iterations.assign(0)
    start, processor_start = time.perf_counter(), time.process_time()
    if whole:
        model.fit(pixels, labels, batch_size=recipe.batch_size, epochs=whole, verbose=0)
    if rest:
        model.fit(pixels[:rest], labels[:rest], batch_size=recipe.batch_size, verbose=0)
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor_start
    test = Images(data["x_test"].reshape(-1, 784), data["y_test"].astype(np.uint8))
    _, accuracy = model.evaluate(test.pixels, test.labels, verbose=0)
    state = {variable.path: variable.value.numpy() for variable in model.variables}
    redrawn = robustness(Predictor(onnx_graph.to_onnx(recipe, state)), test)
    return Fitted(whole * len(pixels) + rest, seconds, processor_seconds, accuracy, redrawn)


def _compiled(recipe: Recipe, steps: int) -> keras.Model:
    model = architecture.build(recipe)
    rates = keras.optimizers.schedules.PolynomialDecay(recipe.peak_learning_rate / 2, steps, 0.0)
    model.compile(
        keras.optimizers.Adam(rates, recipe.first_moment_decay, recipe.second_moment_decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main() -> None:
    """Prints accuracy, seconds and images a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="data/mnist.npz")
    options = parser.parse_args()
    found = fit(recipes.find(options.recipe), options.epochs, np.load(options.data), options.seed)
    print(
        f"model.fit, {options.epochs:g} epochs: {found.accuracy:.2%}, redrawn {found.redrawn_accuracy:.1%}, "
        f"{found.seconds:.1f} s, "
        f"{found.image_count / found.seconds:,.0f} images/s, "
        f"{found.image_count / found.processor_seconds:,.0f} per second of processor time"
    )


if __name__ == "__main__":
    main()
