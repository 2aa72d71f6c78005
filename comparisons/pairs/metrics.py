from .pair import Pair


def rows() -> tuple[Pair, ...]:
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
