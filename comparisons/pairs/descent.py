from .pair import Pair


def rows() -> tuple[Pair, ...]:
    predictions = {"y_true": "5x3", "y_pred": "5x3"}
    chances = {"y_true": "5x3:onehot", "y_pred": "5x3:simplex"}
    product = {"function": lambda x: x[0] * x[1] * x[1]}
    valley = {"gradient": lambda x: 2 * x}
    one = {"weight": "scalar", "x": "scalar", "target": "scalar"}
    samples = {"weights": "3", "x": "11x3", "targets": "11"}
    rules = (
        ("SGD", {"learning_rate": 0.95}, ""),
        ("SGD", {"learning_rate": 0.1, "momentum": 0.9}, "momentum"),
        ("Adagrad", {"learning_rate": 1.5}, ""),
        ("Adam", {"learning_rate": 0.3}, ""),
    )
    return (
        Pair("descent", "squared_error", predictions, constant=("y_true",)),
        Pair("descent", "sum_of_squares", predictions, constant=("y_true",)),
        Pair("descent", "cross_entropy", chances, constant=("y_true",)),
        Pair("descent", "forward_difference", {"x": "2"}, product, kind="values"),
        Pair("descent", "central_difference", {"x": "2"}, product, kind="values"),
        Pair("descent", "hot_and_cold", one, {"iterations": 100}, kind="values"),
        Pair("descent", "gradient_descent", {"x": "3"}, valley, kind="path"),
        Pair("descent", "gradient_descent", {"x": "3"}, valley | {"decay": 0.1}, "decay", "path"),
        Pair("descent", "descend_one_weight", one, {"steps": 50}, kind="path"),
        Pair(
            "descent",
            "descend_several_inputs",
            {"weights": "3", "x": "3", "target": "scalar"},
            {"steps": 50},
            kind="path",
        ),
        Pair(
            "descent",
            "descend_several_outputs",
            {"kernel": "3x4", "x": "3", "targets": "4"},
            {"steps": 50},
            kind="path",
        ),
        Pair("descent", "descend_in_batches", samples, {"epochs": 9}, "batch", "path"),
        *(
            Pair("descent", "descend_in_batches", samples, {"batch_size": n}, case, "path")
            for n, case in ((4, "mini-batch"), (1, "stochastic"))
        ),
        Pair("descent", "momentum_descent", {"x": "3"}, valley, kind="path"),
        Pair("descent", "bowl", {"x": "5x2"}),
        *(
            Pair(
                "descent",
                "bowl_path",
                {"start": "2"},
                {"optimizer": rule, "settings": settings},
                f"{rule} {more}".strip(),
                "path",
            )
            for rule, settings, more in rules
        ),
    )
