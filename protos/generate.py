"""Writes the Python code of protos/ into a folder (the repository's root unless another is named)."""

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).parent
WELL_KNOWN = files("grpc_tools") / "_proto"


def generate(target: Path) -> None:
    """Runs protoc over every .proto; raises RuntimeError where it fails."""
    for proto in sorted(PROTOS.rglob("*.proto")):
        includes = [f"-I{PROTOS}", f"-I{WELL_KNOWN}"]
        arguments = ["protoc", *includes, f"--python_out={target}", f"--pyi_out={target}"]
        if "\nservice " in proto.read_text(encoding="utf-8"):
            arguments.append(f"--grpc_python_out={target}")
        if protoc.main([*arguments, str(proto)]):
            raise RuntimeError(f"protoc failed on {proto}")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PROTOS.parent)
