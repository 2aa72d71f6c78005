from .pair import Pair


def rows() -> tuple[Pair, ...]:
    concatenate = Pair("merging", "Concatenate")
    add = Pair("merging", "Add")
    tanh, sigmoid = _dense(4, "tanh"), _dense(4, "sigmoid")
    gelu = _dense(3, "gelu")
    normalized = Pair("normalization", "BatchNormalization")
    dropped = Pair("dropout", "Dropout", arguments={"rate": 0.4, "seed": 5})
    nested = Pair("branches", "Branches", arguments={"layers": [tanh, sigmoid], "merge": add})
    two, alike = {"x1": "5x3", "x2": "5x2"}, {"x1": "5x2x3", "x2": "5x2x3"}
    return (
        _branches(two, [tanh, gelu], concatenate),
        _branches(two, [tanh, sigmoid], add, "added"),
        _branches({"x": "5x3"}, [tanh, gelu], concatenate, "one input"),
        _branches({"x": "5x3"}, [nested, gelu], concatenate, "one input, nested"),
        _branches(alike, [normalized, gelu], Pair("merging", "Multiply"), "batch normalization"),
        _branches(alike, [dropped, gelu], concatenate, "dropout"),
    )


def _dense(units, activation):
    """Named, for the checker draws weights by name."""
    settings = {"units": units, "activation": activation, "name": activation}
    return Pair("dense", "Dense", arguments=settings)


def _branches(inputs, layers, merge, case=""):
    return Pair("branches", "Branches", inputs, {"layers": layers, "merge": merge}, case, "layer")
