from .pair import Pair


def rows() -> tuple[Pair, ...]:
    corners = {"x": "9x2:binary"}
    gates = ("and_gate", "or_gate", "nand_gate", "xor_gate")
    unit = {"weights": "3", "bias": "scalar"}
    return (
        Pair("perceptrons", "one_to_one", {"x": "scalar", "weight": "scalar"}),
        Pair("perceptrons", "weighted_sum", {"x": "3", "weights": "3"}),
        Pair("perceptrons", "weighted_sum", {"x": "5x3", "weights": "3"}, case="samples"),
        Pair("perceptrons", "one_to_many", {"x": "scalar", "weights": "3"}),
        Pair("perceptrons", "many_to_many", {"x": "3", "weights": "4x3"}),
        Pair("perceptrons", "stacked", {"x": "7x5", "kernel1": "5x3", "kernel2": "3x4"}),
        Pair("perceptrons", "perceptron", {"x": "7x3"} | unit, zero=("x", "weights", "bias")),
        *(Pair("perceptrons", gate, corners, kind="values") for gate in gates),
        Pair("perceptrons", "learn_perceptron", corners | {"targets": "9:binary"}, kind="values"),
        Pair("perceptrons", "truth_tables", kind="values"),
    )
