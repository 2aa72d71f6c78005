from .pair import Pair


def rows() -> tuple[Pair, ...]:
    model = {"x": "7x3", "kernel": "3", "bias": "scalar"}
    line, plane = {"x": "11x1", "y": "11"}, {"x": "11x3", "y": "11"}
    classes = {"x": "11x2", "y": "11:binary"}
    return (
        Pair("regression", "linear_regression", model),
        Pair("regression", "logistic_regression", model),
        Pair("regression", "normal_equations", line, one_sample=False),
        Pair("regression", "normal_equations", plane, case="multivariate", one_sample=False),
        Pair("regression", "descend_linear_regression", line, kind="path"),
        Pair("regression", "descend_linear_regression", plane, {}, "multivariate", "path"),
        Pair("regression", "descend_logistic_regression", classes, kind="path"),
    )
