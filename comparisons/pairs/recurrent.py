from .pair import Pair


def rows() -> tuple[Pair, ...]:
    x, mask = {"x": "3x5x4"}, {"mask": "3x5:int:2"}
    cases = {
        "": {},
        "relu, no bias": {"activation": "relu", "use_bias": False},
        "sequences and states": {"return_sequences": True, "return_state": True},
        "backwards": {"go_backwards": True, "return_sequences": True},
        "dropout": {"dropout": 0.3, "seed": 5},
        "both dropouts": {"dropout": 0.3, "recurrent_dropout": 0.4, "seed": 5},
    }
    return (
        *(
            Pair("recurrent", "SimpleRNN", x, {"units": 6, **how}, case, "layer")
            for case, how in cases.items()
        ),
        Pair(
            "recurrent",
            "SimpleRNN",
            x,
            {"units": 6, "return_sequences": True, "return_state": True},
            "masked, from a state",
            "layer",
            call=mask | {"initial_state": ["3x6"]},
        ),
    )
