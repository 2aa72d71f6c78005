"""A study made on both sides and judged: are its arrays the same, up to rounding?"""

import math
from collections.abc import Mapping

import numpy as np

import reference
import scratch
from comparisons.agreement import compared, one_unit_up, relative_error
from comparisons.precision import floatx
from comparisons.results import ArrayResult, StudyResult
from comparisons.studies import Study, load


def run(study: Study, dtype: str = "float64", seed: int = 0) -> StudyResult:
    """The study in dtype, its arrays compared one by one.

    Noise comes from a second run of scratch, all of whose inputs are moved by one unit in the last
    place. The rounding of an operation leads no further astray than that does, or than one unit of
    the result itself; those of operations in a row add up as random signs do, to the square root.
    """
    module = load(study.name)
    with floatx(dtype):
        inputs = module.inputs(seed, dtype)
        moved = {name: _moved(array) for name, array in inputs.items()}
        runs = (scratch, inputs), (reference, inputs), (scratch, moved)
        here, there, nudged = (_arrays(module.compute(s, seed, **given)) for s, given in runs)
    noise = {name: _noise(study, nudged[name], array) for name, array in here.items()}
    arrays = [_judged(name, array, there[name], noise[name]) for name, array in here.items()]
    return StudyResult(
        study.name, dtype, seed if study.draws else None, arrays, here, there, inputs
    )


def _noise(study: Study, nudged: np.ndarray, array: np.ndarray) -> float:
    unit = relative_error(nudged, array) + float(np.finfo(array.dtype).eps)
    return math.sqrt(study.operations) * unit


def _judged(name: str, here: np.ndarray, there: np.ndarray, noise: float) -> ArrayResult:
    error, noise, verdict, cause = compared(here, there, noise)
    return ArrayResult(
        name, here.shape, math.inf if error is None else error, noise, verdict, cause
    )


def _arrays(computed: Mapping) -> dict[str, np.ndarray]:
    return {name: np.asarray(array) for name, array in computed.items()}


def _moved(array: np.ndarray) -> np.ndarray:
    """Labels, which are integers, stay."""
    return one_unit_up(array) if array.dtype.kind == "f" else array
