from .pair import Pair


def rows() -> tuple[Pair, ...]:
    plain = (
        *("linear", "cos", "exponential", "relu", "leaky_relu", "relu6", "elu", "selu", "celu"),
        *("sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh"),
        *("tanh_shrink", "hard_shrink", "soft_shrink", "softsign", "softplus", "sparse_plus"),
        *("squareplus", "silu", "hard_silu", "mish", "gelu", "softmax", "log_softmax"),
    )
    corners = {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.25}
    cases = (
        ("relu", "leaky", "5x3", {"negative_slope": 0.2}),
        ("relu", "slope, maximum and threshold", "5x3", corners),
        ("leaky_relu", "slope 0.05", "5x3", {"negative_slope": 0.05}),
        ("elu", "alpha 0.7", "5x3", {"alpha": 0.7}),
        ("celu", "alpha 0.7", "5x3", {"alpha": 0.7}),
        ("hard_shrink", "threshold 0.2", "5x3", {"threshold": 0.2}),
        ("soft_shrink", "threshold 0.2", "5x3", {"threshold": 0.2}),
        ("threshold", "", "7x5", {"threshold": -0.3, "default_value": 0.7}),
        ("squareplus", "b 2.5", "5x3", {"b": 2.5}),
        ("gelu", "approximate", "5x3", {"approximate": True}),
        ("glu", "", "5x4", {}),
        ("glu", "axis 1", "3x4x5", {"axis": 1}),
        ("softmax", "axis 1", "3x5x2", {"axis": 1}),
        ("log_softmax", "axis 0", "3x5x2", {"axis": 0}),
    )
    return (
        *(Pair("activations", name, {"x": "5x3"}) for name in plain),
        *(Pair("activations", n, {"x": shape}, a, case) for n, case, shape, a in cases),
        Pair("activations", "step", {"x": "5x3"}, zero=("x",)),
    )
