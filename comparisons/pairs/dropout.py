from typing import Any

from .pair import Pair


def rows() -> tuple[Pair, ...]:
    drawn: dict[str, Any] = {"draws": True}
    seeded = {"rate": 0.3, "seed": 5}
    return (
        Pair("dropout", "gaussian_noise", {"x": "9x7"}, {"stddev": 0.2, "seed": 5}, **drawn),
        Pair("dropout", "gaussian_dropout", {"x": "9x7"}, seeded, **drawn),
        # draws in floatx whatever x is, and the reference is always judged in float64
        Pair("dropout", "alpha_dropout", {"x": "9x7"}, seeded, dtype="float64", **drawn),
        Pair("dropout", "Dropout", {"x": "9x7"}, seeded, kind="layer"),
        Pair(
            "dropout",
            "Dropout",
            {"x": "9x5x7"},
            seeded | {"noise_shape": (None, 1, 7)},
            "noise shape",
            "layer",
        ),
        Pair("dropout", "SpatialDropout1D", {"x": "3x5x7"}, seeded, kind="layer"),
        Pair("dropout", "SpatialDropout2D", {"x": "3x5x4x7"}, seeded, kind="layer"),
        Pair("dropout", "GaussianNoise", {"x": "9x7"}, {"stddev": 0.2, "seed": 5}, kind="layer"),
        Pair("dropout", "GaussianDropout", {"x": "9x7"}, seeded, kind="layer"),
        Pair("dropout", "AlphaDropout", {"x": "9x7"}, seeded, kind="layer"),
    )
