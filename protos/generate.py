"""Writes the Python code of protos/, with types, into a folder (by default the repository's root)."""

import sys
import sysconfig
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).parent
WELL_KNOWN = files("grpc_tools") / "_proto"
# protoc types its messages by itself, and the stubs and servicers of the services by this plugin.
STUB_TYPES = Path(sysconfig.get_path("scripts")) / "protoc-gen-mypy_grpc"


def generate(target: Path) -> None:
    """Runs protoc over every .proto; raises RuntimeError when it fails."""
    for proto in sorted(PROTOS.rglob("*.proto")):
        arguments = [
            "protoc",
            f"-I{PROTOS}",
            f"-I{WELL_KNOWN}",
            f"--python_out={target}",
            f"--pyi_out={target}",
        ]
        if "\nservice " in proto.read_text(encoding="utf-8"):
            arguments += [f"--plugin={STUB_TYPES}", f"--mypy_grpc_out=quiet:{target}"]
            arguments.append(f"--grpc_python_out={target}")
        if protoc.main([*arguments, str(proto)]):
            raise RuntimeError(f"protoc failed on {proto}")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PROTOS.parent)
