"""A bundle as a .keras file, written without Keras, which takes seconds to import and half a gigabyte.

The format is that of keras.saving, version 3: a zip of config.json, metadata.json and model.weights.h5, where
a layer's variables are below layers/CLASS_NUMBER/vars in the order in which the layer made them.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO

import numpy as np

from digits.training import tensors
from digits.v1 import artifacts_pb2

# Of the layout; Keras reads what any earlier 3.x wrote.
KERAS_VERSION = "3.15.1"


def written(bundle: artifacts_pb2.ModelBundle) -> bytes:
    """The file; raises Corrupt for tensors that are none."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": KERAS_VERSION, "date_saved": ""}))
        file.writestr("config.json", bundle.keras_config)
        file.writestr("model.weights.h5", _weights(bundle))
    return content.getvalue()


def _weights(bundle: artifacts_pb2.ModelBundle) -> bytes:
    # Only who exports pays for the import.
    import h5py  # noqa: PLC0415

    state = tensors.from_proto(bundle.weights)
    content = BytesIO()
    with h5py.File(content, "w") as file:
        file.create_group("vars")
        for place, name in _layers(bundle.keras_config):
            variables = file.create_group(f"layers/{place}/vars")
            for number, values in enumerate(_of_layer(state, name)):
                variables.create_dataset(str(number), data=values)
    return content.getvalue()


def _layers(keras_config: str) -> Iterator[tuple[str, str]]:
    """Each layer's name in the file and in the network, such as ("conv2d_1", "conv2")."""
    seen: Counter[str] = Counter()
    for layer in json.loads(keras_config)["config"]["layers"]:
        kind = _snake_case(layer["class_name"])
        yield f"{kind}_{seen[kind]}" if seen[kind] else kind, layer["config"]["name"]
        seen[kind] += 1


def _of_layer(state: tensors.State, name: str) -> Iterator[np.ndarray]:
    return (values for path, values in state.items() if path.startswith(f"{name}/"))


def _snake_case(name: str) -> str:
    """As Keras does it: BatchNormalization is batch_normalization, ReLU re_lu, Conv2D conv2d."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
