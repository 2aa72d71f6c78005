from .pair import Pair


def rows() -> tuple[Pair, ...]:
    z, halves = {"x": "3x15", "inner": "3x15", "h": "3x5"}, {"inner": "3x10"}
    before = z | halves | {"recurrent_kernel": "5x5"}
    dropped = before | {"mask": "3x5:unit"}
    linear = {"activation": None, "recurrent_activation": "hard_sigmoid"}
    return (
        Pair("recurrent", "lstm_gates", {"z": "3x20", "c": "3x5"}),
        Pair("recurrent", "lstm_gates", {"z": "3x20", "c": "3x5"}, linear, "linear"),
        Pair("recurrent", "gru_gates", z),
        Pair("recurrent", "gru_gates", z, linear, "linear"),
        Pair("recurrent", "gru_gates_reset_before", before),
        Pair("recurrent", "gru_gates_reset_before", dropped, case="dropout", constant=("mask",)),
        *_layers("SimpleRNN", states=1),
        *_layers("LSTM", states=2),
        *_layers("GRU", states=1),
        *_layers("GRU", states=1, which="reset before, ", reset_after=False),
        *_bidirectional(),
    )


def _layers(name, states, which="", **settings):
    """A layer of 5 units over the space of its arguments."""
    every = {"return_sequences": True, "return_state": True}
    masked = {"mask": "3x5:mask", "initial_state": ["3x5"] * states}
    # with 5 units every relu may be zero, and then so is the gradient of the recurrent kernel
    relu = {"units": 12, "activation": "relu", "use_bias": False}
    cases = {
        "the last": ({}, {}),
        "relu, no bias": (relu, {}),
        "all, backwards": (every | {"go_backwards": True}, {}),
        "masked, from a state": (every, masked),
        "dropout": ({"dropout": 0.3, "seed": 5}, {}),
        "both dropouts": ({"dropout": 0.3, "recurrent_dropout": 0.4, "seed": 5}, {}),
    }
    for case, (how, call) in cases.items():
        arguments = {"units": 5, **settings, **how}
        yield Pair("recurrent", name, {"x": "3x5x4"}, arguments, which + case, "layer", call=call)


def _bidirectional():
    """Every way to merge, and every layer inside."""
    every = {"return_sequences": True, "return_state": True}
    lstm = Pair("recurrent", "LSTM", arguments={"units": 5})
    gru = Pair("recurrent", "GRU", arguments={"units": 5, **every})
    rnn = Pair("recurrent", "SimpleRNN", arguments={"units": 5, **every})
    masked = {"mask": "3x5:mask", "initial_state": ["3x5", "3x5"]}
    cases = {
        "concat": ({"layer": lstm}, {}),
        "sum": ({"layer": rnn, "merge_mode": "sum"}, {}),
        "mul, masked, from a state": ({"layer": gru, "merge_mode": "mul"}, masked),
        "ave": ({"layer": gru, "merge_mode": "ave"}, {}),
        "both": ({"layer": lstm, "merge_mode": None}, {}),
    }
    for case, (how, call) in cases.items():
        yield Pair("recurrent", "Bidirectional", {"x": "3x5x4"}, how, case, "layer", call=call)
