from .pair import Pair


def rows() -> tuple[Pair, ...]:
    concatenate = Pair("merging", "Concatenate")
    add = Pair("merging", "Add")
    tanh, relu = (_dense(4, activation) for activation in ("tanh", "relu"))
    gelu = _dense(3, "gelu")
    normalized = Pair("normalization", "BatchNormalization")
    dropped = Pair("dropout", "Dropout", arguments={"rate": 0.4, "seed": 5})
    nested = Pair("branches", "Branches", arguments={"layers": [tanh, relu], "merge": add})
    two, alike = {"x1": "5x3", "x2": "5x2"}, {"x1": "5x3", "x2": "5x3"}
    return (
        _branches(two, [tanh, gelu], concatenate),
        _branches(two, [tanh, relu], add, "added"),
        _branches({"x": "5x3"}, [tanh, gelu], concatenate, "one input"),
        _branches({"x": "5x3"}, [nested, gelu], concatenate, "one input, nested"),
        _branches(alike, [normalized, gelu], Pair("merging", "Multiply"), "batch normalization"),
        _branches(alike, [dropped, gelu], concatenate, "dropout"),
    )


def _dense(units, activation):
    return Pair("dense", "Dense", arguments={"units": units, "activation": activation})


def _branches(inputs, layers, merge, case=""):
    return Pair("branches", "Branches", inputs, {"layers": layers, "merge": merge}, case, "layer")
