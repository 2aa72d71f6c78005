"""The records that runs produce, as JSON and as pandas tables."""

import json
import math
import os
import platform
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from comparisons.gradients.report import Row

GOOD_VERDICTS = ("identical", "match", "convention")
VERDICTS = (*GOOD_VERDICTS, "mismatch", "vacuous", "error")


@dataclass(frozen=True)
class GradientResult:
    """One weight's gradient: error and noise relative to the largest entry of the reference."""

    weight: str
    max_error: float
    noise: float
    verdict: str

    @classmethod
    def of(cls, row: "Row") -> "GradientResult":
        """A row of the checker's report; infinite errors where there is nothing to compare."""
        error, noise = (math.inf if n is None else n for n in (row.max_error, row.noise))
        return cls(row.name, error, noise, row.verdict)


@dataclass(frozen=True)
class PairResult:
    """One row of the table of pairs, judged in one dtype."""

    topic: str
    name: str
    dtype: str
    max_error: float
    noise: float
    verdict: str
    cause: str | None = None
    case: str = ""


@dataclass(frozen=True)
class ArrayResult:
    """One array of a study: error and noise relative to the reference's largest entry."""

    name: str
    shape: tuple[int, ...]
    max_error: float
    noise: float
    verdict: str
    cause: str | None = None


@dataclass
class StudyResult:
    """A study made on both sides: what became of its inputs here, in scratch, and there."""

    name: str
    dtype: str
    seed: int | None
    arrays: list[ArrayResult]
    here: dict[str, np.ndarray]
    there: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray]

    @property
    def verdict(self) -> str:
        """The worst of its arrays'."""
        return max((row.verdict for row in self.arrays), key=VERDICTS.index)

    @property
    def caption(self) -> str:
        return f"{self.name}, {self.dtype}" + ("" if self.seed is None else f", seed {self.seed}")

    @property
    def sides(self) -> dict[str, dict[str, np.ndarray]]:
        """The arrays of either side, under the name that pictures give it."""
        return {"scratch": self.here, "Keras": self.there}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays themselves."""
        record = {"name": self.name, "dtype": self.dtype, "seed": self.seed}
        return record | {"arrays": list(map(asdict, self.arrays)), "verdict": self.verdict}


@dataclass(frozen=True)
class Divergence:
    """Where two free runs part: step and sample of its batch, tensor, index, both values."""

    step: int
    tensor: str
    index: tuple[int, ...]
    scratch: float
    reference: float
    explanation: str


@dataclass(frozen=True)
class LockStep:
    """Single steps from the same weights and slots: the worst error over what rounding explains.

    worst_ratio belongs to the step and tensor named; flips counts the steps whose difference is a
    unit that rounding put on the other side of a ReLU or of a max pooling.
    """

    worst_ratio: float
    step: int
    tensor: str
    flips: int
    limit: float


@dataclass
class Curves:
    """What plots need: a value per step or per epoch, for each side."""

    loss: dict[str, list[float]] = field(default_factory=dict)
    weight_difference: list[float] = field(default_factory=list)
    envelope: list[float] = field(default_factory=list)
    history: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    tested: list[int] = field(default_factory=list)  # the epochs after which val_… were taken


@dataclass
class Samples:
    """The test samples: their features, labels and each side's outputs (n, classes).

    Of points in the plane, `map` holds each side's outputs on an even grid over the unit square.
    """

    features: np.ndarray
    labels: np.ndarray
    outputs: dict[str, np.ndarray]
    map: dict[str, np.ndarray] = field(default_factory=dict)

    def classes(self, side: str) -> np.ndarray:
        return classes(self.outputs[side])


NO_SAMPLES = Samples(np.empty(0), np.empty(0), {})


def averaged(results: Iterable["ExperimentResult"]) -> dict[str, float]:
    """By side, the accuracy of the outputs averaged over several runs on the same test set."""
    samples = [result.samples for result in results]
    means = {s: np.mean([one.outputs[s] for one in samples], axis=0) for s in samples[0].outputs}
    return {s: float(np.mean(classes(mean) == samples[0].labels)) for s, mean in means.items()}


def classes(outputs: np.ndarray) -> np.ndarray:
    """The likeliest class by row; of a single probability, whether it is above one half."""
    return outputs[:, 0] > 0.5 if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


@dataclass
class ExperimentResult:
    """One experiment run on both sides. Dictionaries are keyed scratch, reference and keras."""

    name: str
    dataset: str
    dataset_reason: str
    dtype: str
    seed: int
    epochs: int
    steps: int
    batch_size: int
    initial_weights_identical: bool
    initial_weights: dict[str, Any]
    gradients: list[GradientResult]
    max_weight_difference: float
    envelope: float
    keras_weight_difference: float
    first_divergence: Divergence | None
    lock_step: LockStep
    test_examples: int
    predictions_agreeing: int
    accuracy: dict[str, float]
    loss: dict[str, float]
    seconds: dict[str, float]
    learned: bool
    curves: Curves
    samples: Samples
    verdict: str = "match"
    causes: list[str] = field(default_factory=list)
    command: str = ""
    variant: str = ""

    @property
    def title(self) -> str:
        return f"{self.name}, {self.variant}" if self.variant else self.name

    @property
    def caption(self) -> str:
        return f"{self.name} on {self.dataset}, {self.dtype}, seed {self.seed}"

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays that only plots use."""
        record = asdict(replace(self, samples=NO_SAMPLES))
        del record["samples"]
        curves = record.pop("curves")
        return record | {"history": curves["history"], "tested": curves["tested"]}


def versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("numpy", "tensorflow", "keras")}
    return {"python": platform.python_version(), **packages}


def provenance() -> dict[str, Any]:
    """What every JSON file begins with: which versions it comes from."""
    return {"twofold": version("twofold"), "versions": versions()}


def run_record(
    experiments: Iterable[ExperimentResult] = (),
    pairs: Iterable[PairResult] = (),
    studies: Iterable[StudyResult] = (),
) -> dict[str, Any]:
    """The one object that `twofold compare --json` writes."""
    return {
        **provenance(),
        "experiments": [result.to_dict() for result in experiments],
        "pairs": [asdict(result) for result in pairs],
        "studies": [result.to_dict() for result in studies],
    }


def write_json(record: Any, path: str | os.PathLike) -> None:
    """Write record to path whole or not at all; what is not finite becomes null."""
    text = json.dumps(_plain(record), indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(Path(path), text.encode() + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary file beside path, then rename it: no reader sees half a file."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _plain(value: Any) -> Any:
    """value in JSON's own types."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def pairs_table(pairs: Iterable[PairResult]):
    """A pandas DataFrame with a row per pair and dtype."""
    import pandas as pd

    return pd.DataFrame([asdict(result) for result in pairs])


def experiments_table(experiments: Iterable[ExperimentResult]):
    """A pandas DataFrame with a row per experiment: verdict, differences and accuracies."""
    import pandas as pd

    columns = ["name", "dataset", "dtype", "seed", "epochs", "steps", "max_weight_difference"]
    columns += ["envelope", "predictions_agreeing", "test_examples", "verdict"]
    rows = []
    for result in experiments:
        row = {column: getattr(result, column) for column in columns}
        row |= {f"accuracy_{side}": value for side, value in result.accuracy.items()}
        row |= {f"seconds_{side}": value for side, value in result.seconds.items()}
        rows.append(row)
    return pd.DataFrame(rows)
