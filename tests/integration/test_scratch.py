"""The folders of epochs in a trainer that lives, and in one that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from spark_jobs.scratch import scratch_folder, sweep

_KILLED = """
import os, signal, sys
from pathlib import Path
from spark_jobs.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "offsets").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""

_KILLED_WITH_FILES = """
import os, signal, sys, tempfile
from pathlib import Path
from spark_jobs.scratch import own_temporary_folder
own_temporary_folder(Path(sys.argv[1]))
tempfile.mkstemp()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_epochs_folder_goes_with_it(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert folder.is_relative_to(tmp_path)
    assert not folder.exists()


def test_temporary_files_of_a_killed_trainer_go_with_the_next_start(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED_WITH_FILES, str(tmp_path)], check=False)
    (left,) = (tmp_path / "spark" / "tmp").iterdir()
    assert len(list(left.iterdir())) == 1
    sweep(tmp_path)
    assert not left.exists()


def test_the_folders_of_killed_trainers_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    epochs = tmp_path / "spark" / "epochs"
    living = epochs / f"{os.getppid()}-x"
    living.mkdir()
    assert len(list(epochs.iterdir())) == 2
    sweep(tmp_path)
    assert list(epochs.iterdir()) == [living]
