from .pair import Pair


def rows() -> tuple[Pair, ...]:
    probabilities = {"y_true": "7x5:simplex", "y_pred": "7x5:simplex"}
    logits = {"y_true": "7x5:simplex", "y_pred": "7x5"}
    labels = {"y_true": "7:int:5", "y_pred": "7x5:simplex"}
    label_logits = {"y_true": "7:int:5", "y_pred": "7x5"}
    bits = {"y_true": "7x3:int:2", "y_pred": "7x3:unit"}
    bit_logits = {"y_true": "7x3:int:2", "y_pred": "7x3"}
    values = {"y_true": "7x5", "y_pred": "7x5"}
    positive = {"y_true": "7x5:positive", "y_pred": "7x5:positive"}
    scores = {"y_true": "7x5:onehot", "y_pred": "7x5"}
    counts = {"y_true": "7x5:int:4", "y_pred": "7x5:positive"}
    embeddings = {
        "y_true": "23:int:2",
        "y_pred": "23x5:simplex",
    }  # no class of one, but once in 1e5
    focus = {"gamma": 3.0, "alpha": 0.4}
    balanced = {"apply_class_balancing": True, "alpha": 0.4, "gamma": 3.0}
    binary = (
        ("probabilities", bits, {}),
        ("logits", bit_logits, {"from_logits": True}),
        ("label smoothing", bits, {"label_smoothing": 0.1}),
    )
    categorical = (
        ("probabilities", probabilities, {}),
        ("logits", logits, {"from_logits": True}),
        ("label smoothing", logits, {"from_logits": True, "label_smoothing": 0.1}),
    )
    sparse = (
        ("probabilities", labels, {}),
        ("logits", label_logits, {"from_logits": True}),
        ("ignored class", label_logits, {"from_logits": True, "ignore_class": 1}),
    )
    gentle = {"gamma": 10.0, "margin": 0.25, "remove_diagonal": False}
    names = {
        "mean_squared_error": ("MeanSquaredError", (("", values, {}),)),
        "mean_absolute_error": ("MeanAbsoluteError", (("", values, {}),)),
        "mean_absolute_percentage_error": ("MeanAbsolutePercentageError", (("", positive, {}),)),
        "mean_squared_logarithmic_error": ("MeanSquaredLogarithmicError", (("", positive, {}),)),
        "huber": ("Huber", (("", values, {}), ("delta 0.3", values, {"delta": 0.3}))),
        "log_cosh": ("LogCosh", (("", values, {}),)),
        "cosine_similarity": (
            "CosineSimilarity",
            (("", values, {}), ("axis 0", values, {"axis": 0})),
        ),
        "hinge": ("Hinge", (("", bit_logits, {}),)),
        "squared_hinge": ("SquaredHinge", (("", bit_logits, {}),)),
        "categorical_hinge": ("CategoricalHinge", (("", scores, {}),)),
        "kl_divergence": ("KLDivergence", (("", probabilities, {}),)),
        "poisson": ("Poisson", (("", counts, {}),)),
        "binary_crossentropy": ("BinaryCrossentropy", binary),
        "binary_focal_crossentropy": (
            "BinaryFocalCrossentropy",
            (*binary, ("class balancing", bits, balanced)),
        ),
        "categorical_crossentropy": ("CategoricalCrossentropy", categorical),
        "categorical_focal_crossentropy": (
            "CategoricalFocalCrossentropy",
            (*categorical, ("alpha and gamma", probabilities, focus)),
        ),
        "sparse_categorical_crossentropy": ("SparseCategoricalCrossentropy", sparse),
        "categorical_generalized_cross_entropy": (
            "CategoricalGeneralizedCrossEntropy",
            (("", labels, {"q": 0.7}),),
        ),
        "dice": ("Dice", (("", bits, {}), ("axis 1", bits, {"axis": 1}))),
        "tversky": (
            "Tversky",
            (("", bits, {}), ("alpha and beta", bits, {"alpha": 0.8, "beta": 0.8, "axis": 1})),
        ),
        "circle": ("Circle", (("", embeddings, {}), ("with itself", embeddings, gentle))),
    }
    rows = []
    for function, (cls, cases) in names.items():
        for case, inputs, arguments in cases:
            shared = {"inputs": inputs, "arguments": arguments, "case": case}
            rows.append(Pair("losses", function, constant=("y_true",), **shared))
            rows.append(Pair("losses", cls, constant=("y_true",), kind="loss", **shared))
        case, inputs, arguments = cases[0]
        summed = f"{case}, summed".lstrip(", ")
        arguments = arguments | {"reduction": "sum"}
        rows.append(Pair("losses", cls, inputs, arguments, summed, "loss", ("y_true",)))
    references = {"ref_labels": "19:int:2", "ref_embeddings": "19x5:simplex"}
    constant = ("y_true", *references)
    rows.append(
        Pair("losses", "circle", embeddings | references, case="references", constant=constant)
    )
    return tuple(rows)
