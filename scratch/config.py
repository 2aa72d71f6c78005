"""floatx, the dtype of everything that is not told otherwise, and epsilon, Keras's fuzz factor."""

_floatx = "float32"


def floatx() -> str:
    """The dtype, "float32" or "float64", of weights, losses and metrics not given their own."""
    return _floatx


def set_floatx(value: str) -> None:
    """Make `value`, "float32" or "float64", the default dtype. ValueError for any other."""
    global _floatx
    if value not in ("float32", "float64"):
        raise ValueError(f"floatx is float32 or float64, not {value!r}")
    _floatx = value


def epsilon() -> float:
    """1e-7, the bound that keeps logarithms of probabilities finite."""
    return 1e-7
