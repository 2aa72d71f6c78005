from .pair import Pair


def rows() -> tuple[Pair, ...]:
    start = {"initial_learning_rate": 0.1}
    decay = start | {"decay_steps": 30}
    cases = {
        "ExponentialDecay": (
            ("", decay | {"decay_rate": 0.9}),
            ("staircase", decay | {"decay_rate": 0.9, "staircase": True}),
        ),
        "InverseTimeDecay": (
            ("", decay | {"decay_rate": 0.5}),
            ("staircase", decay | {"decay_rate": 0.5, "staircase": True}),
        ),
        "PolynomialDecay": (
            ("", decay),
            ("square root", decay | {"end_learning_rate": 0.01, "power": 0.5}),
            ("cycle", decay | {"end_learning_rate": 0.01, "power": 2.0, "cycle": True}),
        ),
        "PiecewiseConstantDecay": (
            ("", {"boundaries": [10, 20.5, 70], "values": [0.1, 0.05, 0.01, 0.002]}),
        ),
        "CosineDecay": (
            ("", decay),
            ("warmup", decay | {"alpha": 0.1, "warmup_target": 0.3, "warmup_steps": 20}),
        ),
        "CosineDecayRestarts": (
            ("", start | {"first_decay_steps": 10}),
            ("equal periods", start | {"first_decay_steps": 10, "t_mul": 1.0, "m_mul": 0.9}),
            ("longer periods", start | {"first_decay_steps": 7, "t_mul": 1.5, "alpha": 0.1}),
        ),
    }
    return tuple(
        Pair("schedules", name, arguments=arguments, case=case, kind="schedule")
        for name, rows in cases.items()
        for case, arguments in rows
    )
