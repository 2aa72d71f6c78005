from .pair import Pair


def rows() -> tuple[Pair, ...]:
    images = {"x": "2x5x7x3"}
    return (
        Pair("residual", "ResidualBlock", images, {"filters": 3}, "", "layer"),
        Pair("residual", "ResidualBlock", images, {"filters": 4}, "wider", "layer"),
        Pair("residual", "ResidualBlock", images, {"filters": 3, "strides": 2}, "halved", "layer"),
    )
