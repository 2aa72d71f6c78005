"""What a check is fed: shapes and specs drawn at random, each tensor from a seed of its own."""

import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from comparisons.witnesses import frozen

DTYPES = ("float32", "float64")


def _simplex(rng, shape):
    exponentials = rng.standard_exponential(shape)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _onehot(rng, shape):
    return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]


KINDS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: 0.1 + np.abs(rng.standard_normal(shape)),
    "unit": lambda rng, shape: rng.uniform(0.02, 0.98, shape),
    "simplex": _simplex,
    "onehot": _onehot,
    "binary": lambda rng, shape: rng.integers(2, size=shape) * 1.0,
    "ties": lambda rng, shape: rng.integers(-1, 2, shape) * 1.0,
    "mask": lambda rng, shape: rng.integers(2, size=shape) > 0,
}
FORMS = "32x784, 32x10:positive, 32:int:10 or @file.npy"


def draw(inputs: Mapping[str, Any], seed: int = 0, dtype: str = "float64") -> dict[str, np.ndarray]:
    """Every entry of `inputs` as a read-only array, floats in `dtype`; given arrays are not copied.

    An entry is a shape (standard normal), an array, a number, or a spec: "32x784" or "32,784",
    with a kind of numbers after a colon (normal, positive, unit between 0 and 1, simplex, onehot,
    binary, ties in {-1, 0, 1}, mask of truth values, "int:10" for integers below 10), "scalar", or
    "@file.npy". Each is drawn from a checksum of its name and the seed, so that a further entry
    shifts no other.
    """
    check_seed(seed)
    check_dtype(dtype)
    if not isinstance(inputs, Mapping) or not inputs:
        raise ValueError(f"inputs maps each name to a shape, spec or array, not {inputs!r:.60}")
    return {name: frozen(_tensor(name, spec, seed, dtype)) for name, spec in inputs.items()}


def generator(name: str, seed: int) -> np.random.Generator:
    """A generator that depends on the name and the seed alone."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed is an integer from 0, not {seed!r}")


def check_dtype(dtype: str) -> None:
    if dtype not in DTYPES:
        raise ValueError(f"dtype is float32 or float64, not {dtype!r}")


def _tensor(name, spec, seed, dtype) -> np.ndarray:
    if not isinstance(name, str):
        raise ValueError(f"inputs are named by strings, not {name!r}")
    if isinstance(spec, str):
        array = _from_text(name, spec, seed)
    elif _is_shape(spec):
        array = _drawn(name, tuple(spec), "normal", seed)
    else:
        array = _as_array(name, spec).view()  # the caller's own array stays writeable
    return np.asarray(array, dtype if array.dtype.kind == "f" else array.dtype)


def _is_shape(spec) -> bool:
    if not isinstance(spec, tuple | list):
        return False
    return all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in spec)


def _as_array(name, value) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} is neither a shape ({FORMS}) nor a real array: {value!r:.60}")
    return array


def _from_text(name, spec, seed) -> np.ndarray:
    if spec.startswith("@"):
        return _from_file(name, spec[1:])
    sizes, _, kind = spec.partition(":")
    if sizes != "scalar" and not re.fullmatch(r"\d+([x,]\d+)*", sizes.strip()):
        raise ValueError(f"{name}: {spec!r} is not a spec such as {FORMS}")
    shape = () if sizes == "scalar" else tuple(int(n) for n in re.split("[x,]", sizes))
    return _drawn(name, shape, kind or "normal", seed)


def _drawn(name, shape, kind, seed) -> np.ndarray:
    if any(n < 0 for n in shape):
        raise ValueError(f"{name}: a shape has no negative sizes, but {shape} was given")
    rng = generator(name, seed)
    if re.fullmatch(r"int:[1-9]\d*", kind):
        return np.asarray(rng.integers(int(kind[4:]), size=shape))
    if kind not in KINDS:
        raise ValueError(f"{name}: numbers are {', '.join(KINDS)} or int:10, not {kind!r}")
    if not shape and kind in ("simplex", "onehot"):
        raise ValueError(f"{name}: {kind} takes at least one axis")
    return np.asarray(KINDS[kind](rng, shape))


def _from_file(name, path) -> np.ndarray:
    try:
        return _as_array(name, np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{name}: {path} cannot be read as an array: {error}") from None
