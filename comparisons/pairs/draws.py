from .pair import Pair


def rows() -> tuple[Pair, ...]:
    shape = {"shape": (37, 11)}
    random = {
        "uniform": {"minval": -0.3, "maxval": 0.7},
        "normal": {"mean": 0.1, "stddev": 2.0},
        "truncated_normal": {"stddev": 0.5},
        "randint": {"minval": -3, "maxval": 12},
    }
    initializers = {
        "Zeros": {},
        "Ones": {},
        "Constant": {"value": 0.1},
        "Identity": {"gain": 0.3},
        "RandomUniform": {},
        "RandomNormal": {},
        "TruncatedNormal": {},
        "VarianceScaling": {"scale": 1.5, "mode": "fan_avg", "distribution": "uniform"},
        "GlorotUniform": {},
        "GlorotNormal": {},
        "HeUniform": {},
        "HeNormal": {},
        "LecunUniform": {},
        "LecunNormal": {},
        "Orthogonal": {"gain": 0.5},
    }
    return (
        *(Pair("random", n, arguments=shape | a, kind="draw") for n, a in random.items()),
        Pair("random", "shuffle", {"x": "23x2"}, kind="draw"),
        Pair("random", "dropout", {"inputs": "9x7"}, {"rate": 0.3, "seed": 5}, draws=True),
        *(Pair("initializers", n, arguments=a, kind="draw") for n, a in initializers.items()),
    )
