from .pair import Pair


def rows() -> tuple[Pair, ...]:
    decay = {"weight_decay": 0.01}
    penalties = {"l1_regularization_strength": 0.05, "l2_regularization_strength": 0.1}
    cases = {
        "SGD": (
            ("", {}),
            ("momentum", {"momentum": 0.9}),
            ("nesterov", {"momentum": 0.9, "nesterov": True}),
            ("decay and clipnorm", {"weight_decay": 0.01, "clipnorm": 1.0}),
        ),
        "RMSprop": (
            ("", {}),
            ("momentum", {"momentum": 0.9}),
            ("centered", {"centered": True}),
            ("decay and clipvalue", {"weight_decay": 0.01, "clipvalue": 0.5}),
        ),
        "Adam": (
            ("", {}),
            ("amsgrad", {"amsgrad": True}),
            ("decay and global clipnorm", {"weight_decay": 0.01, "global_clipnorm": 1.0}),
        ),
        "AdamW": (("", {}), ("amsgrad", {"amsgrad": True, "weight_decay": 0.1})),
        "Adamax": (("", {}), ("decay", {"beta_2": 0.9, "weight_decay": 0.01})),
        "Nadam": (("", {}), ("average", {"use_ema": True, "ema_overwrite_frequency": 7})),
        "ScheduleFreeAdamW": (("", {}), ("warmup and decay", {"warmup_steps": 30} | decay)),
        "Adagrad": (("", {}), ("decay", {"learning_rate": 0.1, "epsilon": 0.001} | decay)),
        "Adadelta": (("", {}), ("the paper's", {"learning_rate": 1.0, "epsilon": 1e-6})),
        "Ftrl": (("", {}), ("regularized", {"learning_rate": 0.1, "beta": 0.5} | penalties)),
        "Lion": (("", {}), ("decay", decay)),
        "Lamb": (("", {}), ("decay", decay)),
        "Adafactor": (("", {}), ("decay", {"epsilon_2": 1.7} | decay)),
        "Muon": (("", {}), ("plain", {"nesterov": False, "rms_rate": None})),
    }
    weights = {"kernel": "13x7", "bias": "7"}
    return tuple(
        Pair("optimizers", name, weights, arguments, case, kind="optimizer")
        for name, rows in cases.items()
        for case, arguments in rows
    )
