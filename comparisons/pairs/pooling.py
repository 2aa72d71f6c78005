from .pair import Pair


def rows() -> tuple[Pair, ...]:
    image, signal = {"inputs": "3x7x6x2"}, {"x": "3x7x2"}
    window, same = {"pool_size": (3, 2)}, {"strides": 2, "padding": "same"}
    names = ("MaxPooling", "AveragePooling")
    everywhere = ("GlobalMaxPooling", "GlobalAveragePooling")
    return (
        *(Pair("pooling", n, image, window) for n in ("max_pool", "average_pool")),
        *(Pair("pooling", n, image, window | same, "same") for n in ("max_pool", "average_pool")),
        Pair("pooling", "max_pool", {"inputs": "2x6x6x2:ties"}, {"pool_size": 2}, "ties"),
        Pair("pooling", "global_max_pool", {"x": "3x5x4x2"}),
        Pair("pooling", "global_average_pool", {"x": "3x5x4x2"}),
        *(Pair("pooling", f"{n}1D", signal, {"pool_size": 2}, kind="layer") for n in names),
        *(Pair("pooling", f"{n}2D", {"x": "3x7x6x2"}, window, kind="layer") for n in names),
        *(Pair("pooling", f"{n}1D", signal, kind="layer") for n in everywhere),
        *(Pair("pooling", f"{n}2D", {"x": "3x7x6x2"}, kind="layer") for n in everywhere),
    )
