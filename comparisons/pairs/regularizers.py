from .pair import Pair


def rows() -> tuple[Pair, ...]:
    cases = (
        ("L1", {"l1": 0.3}, ""),
        ("L2", {"l2": 0.3}, ""),
        ("L1L2", {"l1": 0.1, "l2": 0.3}, ""),
        ("OrthogonalRegularizer", {"factor": 0.3}, ""),
        ("OrthogonalRegularizer", {"mode": "columns"}, "columns"),
    )
    return tuple(
        Pair(
            "regularizers",
            name,
            {"x": "5x3"},
            arguments,
            case,
            "regularizer",
            dtype="float32" if name == "OrthogonalRegularizer" else None,  # Keras's own limit
        )
        for name, arguments, case in cases
    )
