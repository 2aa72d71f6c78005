"""The table of pairs: what of scratch is held against what of reference, on which inputs. No logic.

Each row names a topic and a name that both sides have. `kind` says how the two are compared:

    function    value and gradients of a function (value, backward)
    layer       value, gradients and state of a layer, in training and inference
    loss        a loss object's reduced value and gradient
    values      values alone: metrics as functions
    metric      a metric object over several batches
    optimizer   weights after 100 steps
    schedule    the learning rates of 200 steps
    constraint  a constraint object's weights
    regularizer a regularizer object's penalty and gradient
    draw        random numbers and initial weights, as bits

Shapes are non-square and odd. An input is a shape ("5x3"), with a kind of numbers after a colon:
"7:int:4" integers below 4, "5x3:simplex" rows that sum to one, "5x3:unit" between 0 and 1,
"5x3:positive".
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Pair:
    """A row. `constant` names inputs that have no gradient, `zero` those whose gradient is zero.

    `draws` marks what draws random numbers; `dtype` the only one in which Keras runs, if any.
    """

    topic: str
    name: str
    inputs: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    case: str = ""
    kind: str = "function"
    constant: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    draws: bool = False
    dtype: str | None = None

    @property
    def title(self) -> str:
        return f"{self.topic}.{self.name}" + (f" ({self.case})" if self.case else "")


def _activations() -> tuple[Pair, ...]:
    plain = (
        *("linear", "cos", "exponential", "relu", "leaky_relu", "relu6", "elu", "selu", "celu"),
        *("sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh"),
        *("tanh_shrink", "hard_shrink", "soft_shrink", "softsign", "softplus", "sparse_plus"),
        *("squareplus", "silu", "hard_silu", "mish", "gelu", "softmax", "log_softmax"),
    )
    corners = {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.25}
    cases = (
        ("relu", "leaky", "5x3", {"negative_slope": 0.2}),
        ("relu", "slope, maximum and threshold", "5x3", corners),
        ("leaky_relu", "slope 0.05", "5x3", {"negative_slope": 0.05}),
        ("elu", "alpha 0.7", "5x3", {"alpha": 0.7}),
        ("celu", "alpha 0.7", "5x3", {"alpha": 0.7}),
        ("hard_shrink", "threshold 0.2", "5x3", {"threshold": 0.2}),
        ("soft_shrink", "threshold 0.2", "5x3", {"threshold": 0.2}),
        ("threshold", "", "7x5", {"threshold": -0.3, "default_value": 0.7}),
        ("squareplus", "b 2.5", "5x3", {"b": 2.5}),
        ("gelu", "approximate", "5x3", {"approximate": True}),
        ("glu", "", "5x4", {}),
        ("glu", "axis 1", "3x4x5", {"axis": 1}),
        ("softmax", "axis 1", "3x5x2", {"axis": 1}),
        ("log_softmax", "axis 0", "3x5x2", {"axis": 0}),
    )
    return (
        *(Pair("activations", name, {"x": "5x3"}) for name in plain),
        *(Pair("activations", n, {"x": shape}, a, case) for n, case, shape, a in cases),
        Pair("activations", "step", {"x": "5x3"}, zero=("x",)),
    )


def _losses() -> tuple[Pair, ...]:
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


def _metrics() -> tuple[Pair, ...]:
    bits = {"y_true": "9x3:int:2", "y_pred": "9x3:unit"}
    rows = {"y_true": "9x7:simplex", "y_pred": "9x7:simplex"}
    labels = {"y_true": "9:int:7", "y_pred": "9x7:simplex"}
    exact = {"y_true": "9x3:int:2", "y_pred": "9x3:int:2"}
    values = {"y_true": "9x3", "y_pred": "9x3"}
    positive = {"y_true": "9x3:positive", "y_pred": "9x3:positive"}
    classes = {"labels": "23:int:5", "predictions": "23:int:5"}
    accuracies = (
        ("accuracy", "Accuracy", exact, {}),
        ("binary_accuracy", "BinaryAccuracy", bits, {"threshold": 0.4}),
        ("categorical_accuracy", "CategoricalAccuracy", rows, {}),
        ("sparse_categorical_accuracy", "SparseCategoricalAccuracy", labels, {}),
        ("top_k_categorical_accuracy", "TopKCategoricalAccuracy", rows, {"k": 3}),
        ("sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy", labels, {"k": 3}),
    )
    adjusted = {"class_aggregation": "variance_weighted_average", "num_regressors": 2}
    weighted = {"average": "weighted", "beta": 2.0, "threshold": 0.4}
    uneven, several = {"thresholds": [0.1, 0.5, 0.6]}, {"thresholds": [0.2, 0.5, 0.9]}
    per_label = {"multi_label": True, "label_weights": [0.2, 0.3, 0.5]}
    others = (
        ("Mean", "", {"values": "9"}, {}),
        ("Sum", "", {"values": "9x3"}, {}),
        ("MeanSquaredError", "", values, {}),
        ("RootMeanSquaredError", "", values, {}),
        ("MeanAbsoluteError", "", values, {}),
        ("MeanAbsolutePercentageError", "", positive, {}),
        ("MeanSquaredLogarithmicError", "", positive, {}),
        ("LogCoshError", "", values, {}),
        ("CosineSimilarity", "", values, {}),
        ("R2Score", "", values, {}),
        ("R2Score", "per output", values, {"class_aggregation": None}),
        ("R2Score", "adjusted", values, adjusted),
        ("TruePositives", "", bits, {}),
        ("FalsePositives", "", bits, {"thresholds": 0.3}),
        ("TrueNegatives", "several thresholds", bits, several),
        ("FalseNegatives", "even thresholds", bits, {"thresholds": [0.0, 0.5, 1.0]}),
        ("Precision", "", bits, {}),
        ("Precision", "top 2 of each row", bits, {"top_k": 2}),
        ("Precision", "several thresholds", bits, several),
        ("Recall", "", bits, {}),
        ("Recall", "one class", bits, {"class_id": 1}),
        ("F1Score", "", bits, {}),
        ("FBetaScore", "weighted", bits, weighted),
        ("FBetaScore", "micro", bits, {"average": "micro", "beta": 0.5}),
        ("AUC", "", bits, {}),
        ("AUC", "minoring", bits, {"summation_method": "minoring", "num_thresholds": 11}),
        ("AUC", "precision and recall", bits, {"curve": "PR"}),
        ("AUC", "majoring", bits, {"curve": "PR", "summation_method": "majoring"}),
        ("AUC", "gains", bits, {"curve": "PRGAIN"} | uneven),
        ("AUC", "per label", bits, per_label),
        ("AUC", "logits", {"y_true": "9x3:int:2", "y_pred": "9x3"}, {"from_logits": True}),
    )
    pairs = [Pair("metrics", "confusion_matrix", classes, {"num_classes": 5}, kind="values")]
    pairs += [Pair("metrics", n, inputs, a, case, "metric") for n, case, inputs, a in others]
    for function, metric, inputs, arguments in accuracies:
        dtype = "float32" if "k" in arguments else None  # TensorFlow's in_top_k takes no other
        shared = {"inputs": inputs, "arguments": arguments, "dtype": dtype}
        pairs.append(Pair("metrics", metric, kind="metric", **shared))
        if function != "accuracy":
            pairs.append(Pair("metrics", function, kind="values", **shared))
    return tuple(pairs)


def _draws() -> tuple[Pair, ...]:
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


def _optimizers() -> tuple[Pair, ...]:
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


def _schedules() -> tuple[Pair, ...]:
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


def _regularizers() -> tuple[Pair, ...]:
    cases = (
        ("L1", {"l1": 0.3}, ""),
        ("L2", {"l2": 0.3}, ""),
        ("L1L2", {"l1": 0.1, "l2": 0.3}, ""),
        ("OrthogonalRegularizer", {"factor": 0.3}, ""),
        ("OrthogonalRegularizer", {"mode": "columns"}, "columns"),
    )
    return tuple(
        Pair(
            "regularizers",
            name,
            {"x": "5x3"},
            arguments,
            case,
            "regularizer",
            dtype="float32" if name == "OrthogonalRegularizer" else None,  # Keras's own limit
        )
        for name, arguments, case in cases
    )


def _constraints() -> tuple[Pair, ...]:
    filters = {"axis": [0, 1, 2]}
    cases = (
        ("MaxNorm", "13x7", {}, ""),
        ("MaxNorm", "3x3x2x5", filters, "filters"),
        ("NonNeg", "13x7", {}, ""),
        ("UnitNorm", "13x7", {}, ""),
        ("UnitNorm", "13x7", {"axis": 1}, "axis 1"),
        ("MinMaxNorm", "13x7", {"min_value": 3.0, "max_value": 3.5}, ""),
        (
            "MinMaxNorm",
            "13x7",
            {"min_value": 3.0, "max_value": 3.5, "rate": 0.3},
            "part of the way",
        ),
    )
    return tuple(
        Pair("constraints", name, {"w": shape}, arguments, case, "constraint")
        for name, shape, arguments, case in cases
    )


def _normalization() -> tuple[Pair, ...]:
    return (
        Pair("normalization", "standardize", {"x": "5x7"}, {"axes": (1,)}),
        Pair("normalization", "standardize", {"x": "3x5x7x2"}, {"axes": (1, 2)}, "two axes"),
        Pair(
            "normalization",
            "batch_normalization",
            {"x": "7x5", "mean": "5", "variance": "5:positive"},
            {"axis": -1},
        ),
        Pair(
            "normalization",
            "batch_normalization",
            {"x": "3x5x4x7", "mean": "5", "variance": "5:positive"},
            {"axis": 1},
            "channels first",
        ),
        Pair("normalization", "normalize_batch", {"x": "7x5", "gamma": "5", "beta": "5"}),
        Pair("normalization", "normalize_batch", {"x": "3x5x4x7"}, {"axis": 1}, "channels first"),
        Pair("normalization", "layer_normalization", {"x": "7x5", "gamma": "5", "beta": "5"}),
        Pair("normalization", "layer_normalization", {"x": "3x5x7"}, {"axis": (1, 2)}, "two axes"),
        Pair(
            "normalization",
            "group_normalization",
            {"x": "3x5x4x6", "gamma": "6", "beta": "6"},
            {"groups": 3},
        ),
        Pair(
            "normalization",
            "group_normalization",
            {"x": "3x6x5x4"},
            {"groups": 2, "axis": 1},
            "channels first",
        ),
        Pair("normalization", "rms_normalization", {"x": "7x5", "scale": "5"}),
        Pair("normalization", "rms_normalization", {"x": "3x5x7"}, {"axis": (1, 2)}, "two axes"),
        Pair("normalization", "normalize", {"x": "7x5"}),
        Pair("normalization", "normalize", {"x": "3x5x7"}, {"axis": (1, 2)}, "two axes"),
        Pair("normalization", "BatchNormalization", {"x": "7x5"}, kind="layer"),
        Pair(
            "normalization",
            "BatchNormalization",
            {"x": "3x5x4x7"},
            {"axis": 1, "momentum": 0.7, "epsilon": 0.01},
            "channels first",
            "layer",
        ),
        Pair(
            "normalization",
            "BatchNormalization",
            {"x": "7x5"},
            {"center": False, "scale": False},
            "no weights",
            "layer",
        ),
        Pair("normalization", "LayerNormalization", {"x": "7x5"}, kind="layer"),
        Pair(
            "normalization",
            "LayerNormalization",
            {"x": "3x5x7"},
            {"axis": [1, 2]},
            "two axes",
            "layer",
        ),
        Pair("normalization", "GroupNormalization", {"x": "3x5x4x6"}, {"groups": 3}, kind="layer"),
        Pair(
            "normalization",
            "GroupNormalization",
            {"x": "3x5x4"},
            {"groups": -1},
            "instances",
            "layer",
        ),
        Pair("normalization", "RMSNormalization", {"x": "7x5"}, kind="layer"),
        Pair("normalization", "UnitNormalization", {"x": "7x5"}, kind="layer"),
    )


def _dropout() -> tuple[Pair, ...]:
    drawn = {"draws": True}
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


def _embedding() -> tuple[Pair, ...]:
    indices, sizes = "7x3:int:5", {"input_dim": 5, "output_dim": 4}
    return (
        Pair("embedding", "embedding", {"indices": indices, "embeddings": "5x4"}),
        Pair("embedding", "Embedding", {"indices": indices}, sizes, kind="layer"),
    )


def _convolution() -> tuple[Pair, ...]:
    image = {"x": "3x7x6x2"}
    inputs = {"inputs": "3x7x6x2", "kernel": "3x2x2x4"}
    apart = {"inputs": "3x7x6x2", "depthwise_kernel": "3x2x2x3", "pointwise_kernel": "1x1x6x4"}
    same = {"strides": 2, "padding": "same"}
    sizes = {"filters": 4, "kernel_size": (3, 2)}
    return (
        Pair("convolution", "im2col", {"x": "2x5x4x3"}, {"kernel_size": (3, 2)}),
        Pair("convolution", "conv_by_im2col", {"x": "3x7x6x2", "kernel": "3x2x2x4"}),
        Pair("convolution", "conv", inputs),
        Pair("convolution", "conv", inputs, same, "same, strides 2"),
        Pair("convolution", "conv", inputs, {"dilation_rate": 2}, "dilated"),
        Pair("convolution", "depthwise_conv", inputs, same),
        Pair("convolution", "separable_conv", apart),
        Pair("convolution", "conv_transpose", inputs | {"kernel": "3x2x4x2"}, same),
        Pair("convolution", "Conv1D", {"x": "3x7x2"}, sizes | {"kernel_size": 3}, "", "layer"),
        Pair("convolution", "Conv2D", image, sizes | {"activation": "relu"}, "relu", "layer"),
        Pair("convolution", "Conv2D", image, sizes | same | {"groups": 2}, "groups", "layer"),
        Pair("convolution", "DepthwiseConv2D", image, {"kernel_size": 3}, "", "layer"),
        Pair("convolution", "SeparableConv2D", image, sizes, "", "layer"),
        Pair("convolution", "Conv2DTranspose", image, sizes | same, "", "layer"),
    )


def _pooling() -> tuple[Pair, ...]:
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


def _reshaping() -> tuple[Pair, ...]:
    image = {"x": "3x5x4x2"}
    sequence = {"x": "3x5x2"}
    functions = (
        ("flatten", image, {}),
        ("reshape", image, {"target_shape": (4, -1)}),
        ("permute", image, {"dims": (3, 1, 2)}),
        ("repeat_vector", {"x": "3x5"}, {"n": 4}),
        ("zero_padding", image, {"padding": ((1, 2), (0, 3), (0, 0))}),
        ("cropping", image, {"cropping": ((1, 2), (0, 3), (0, 0))}),
        ("up_sampling", image, {"size": (2, 3)}),
    )
    layers = (
        ("Flatten", image, {}),
        ("Reshape", image, {"target_shape": (4, -1)}),
        ("Permute", image, {"dims": (3, 1, 2)}),
        ("RepeatVector", {"x": "3x5"}, {"n": 4}),
        ("ZeroPadding1D", sequence, {"padding": (1, 2)}),
        ("ZeroPadding2D", image, {"padding": ((1, 2), (0, 3))}),
        ("Cropping1D", sequence, {"cropping": (1, 2)}),
        ("Cropping2D", image, {"cropping": ((1, 2), (0, 3))}),
        ("UpSampling1D", sequence, {"size": 3}),
        ("UpSampling2D", image, {"size": (2, 3)}),
    )
    bilinear = {"size": (2, 3), "interpolation": "bilinear"}
    return (
        *(Pair("reshaping", n, inputs, a) for n, inputs, a in functions),
        *(Pair("reshaping", n, inputs, a, kind="layer") for n, inputs, a in layers),
        # TensorFlow resizes in float32 alone
        Pair("reshaping", "UpSampling2D", image, bilinear, "bilinear", "layer", dtype="float32"),
    )


PAIRS = (
    *_activations(),
    Pair("dense", "dense", {"x": "7x5", "kernel": "5x3", "bias": "3"}),
    Pair("dense", "dense", {"x": "1x5", "kernel": "5x3", "bias": "3"}, case="one sample"),
    Pair("dense", "dense", {"x": "7x5", "kernel": "5x3"}, case="no bias"),
    Pair("dense", "dense", {"x": "2x7x5", "kernel": "5x3", "bias": "3"}, case="three axes"),
    Pair("dense", "Dense", {"x": "7x5"}, {"units": 3, "activation": "relu"}, "relu", "layer"),
    Pair("dense", "Dense", {"x": "7x5"}, {"units": 3, "activation": "softmax"}, "softmax", "layer"),
    Pair("dense", "Dense", {"x": "7x5"}, {"units": 3, "use_bias": False}, "no bias", "layer"),
    *_losses(),
    *_metrics(),
    *_draws(),
    *_optimizers(),
    *_schedules(),
    *_regularizers(),
    *_constraints(),
    *_normalization(),
    *_dropout(),
    *_embedding(),
    *_convolution(),
    *_pooling(),
    *_reshaping(),
)

UNPAIRED = {
    "config": "settings, not mathematics; tests hold them",
    "models": "compared whole: each is trained by an experiment",
    "network": "the training loop, compared by every experiment",
    "dense.NaiveDense": "tests hold it against its twin: it takes an activation, not an argument",
    "dense.NaiveSequential": "as NaiveDense",
    "dense.BatchGenerator": "cuts arrays into batches; tests hold it against its twin",
    "activations.get": "looks up a name; tests hold it",
    "activations.sparsemax": "Keras's is not the published function; tests hold both as they are",
    "initializers.get": "looks up a name; tests hold it",
    "losses.get": "looks up a name; tests hold it",
    "metrics.get": "looks up a name; tests hold it",
    "metrics.MeanMetricWrapper": "the mean of any function: that of each metric above it",
    "optimizers.get": "looks up a name; tests hold it",
    "regularizers.get": "looks up a name; tests hold it",
    "constraints.get": "looks up a name; tests hold it",
    "initializers.Initializer": "the base class",
    "losses.Loss": "the base class",
    "metrics.Metric": "the base class",
    "optimizers.Optimizer": "the base class",
    "schedules.LearningRateSchedule": "the base class",
    "regularizers.Regularizer": "the base class",
    "constraints.Constraint": "the base class",
    "random.SeedGenerator": "the stream behind every draw; tests hold its states",
    "random.set_random_seed": "the seed behind every comparison; tests hold what follows from it",
}
