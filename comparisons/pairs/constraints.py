from .pair import Pair


def rows() -> tuple[Pair, ...]:
    filters = {"axis": [0, 1, 2]}
    cases = (
        ("MaxNorm", "13x7", {}, ""),
        ("MaxNorm", "3x3x2x5", filters, "filters"),
        ("NonNeg", "13x7", {}, ""),
        ("UnitNorm", "13x7", {}, ""),
        ("UnitNorm", "13x7", {"axis": 1}, "axis 1"),
        ("MinMaxNorm", "13x7", {"min_value": 3.0, "max_value": 3.5}, ""),
        (
            "MinMaxNorm",
            "13x7",
            {"min_value": 3.0, "max_value": 3.5, "rate": 0.3},
            "part of the way",
        ),
    )
    return tuple(
        Pair("constraints", name, {"w": shape}, arguments, case, "constraint")
        for name, shape, arguments, case in cases
    )
