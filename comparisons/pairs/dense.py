from .pair import Pair


def rows() -> tuple[Pair, ...]:
    return (
        Pair("dense", "dense", {"x": "7x5", "kernel": "5x3", "bias": "3"}),
        Pair("dense", "dense", {"x": "1x5", "kernel": "5x3", "bias": "3"}, case="one sample"),
        Pair("dense", "dense", {"x": "7x5", "kernel": "5x3"}, case="no bias"),
        Pair("dense", "dense", {"x": "2x7x5", "kernel": "5x3", "bias": "3"}, case="three axes"),
        Pair("dense", "Dense", {"x": "7x5"}, {"units": 8, "activation": "relu"}, "relu", "layer"),
        Pair(
            "dense",
            "Dense",
            {"x": "7x5"},
            {"units": 3, "activation": "softmax"},
            "softmax",
            "layer",
        ),
        Pair("dense", "Dense", {"x": "7x5"}, {"units": 3, "use_bias": False}, "no bias", "layer"),
        Pair("dense", "Activation", {"x": "7x5"}, {"activation": "relu"}, "relu", "layer"),
        Pair("dense", "Activation", {"x": "7x5"}, {"activation": "softmax"}, "softmax", "layer"),
    )
