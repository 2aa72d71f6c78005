from typing import Any

from .pair import Pair

# a key's bias moves all scores of a query alike, which the softmax does not see
KEY_BIAS = ("key/bias",)


def rows() -> tuple[Pair, ...]:
    return (*_functions(), *_layers(), *_heads(), *_encoders())


def _functions():
    two = {"query": "2x5x3", "key": "2x4x3"}
    heads = {"query": "2x5x3x4", "key": "2x7x3x4", "value": "2x7x3x6"}
    biased, mask = heads | {"bias": "3x5x7"}, {"mask": "1x1x5x7:mask"}
    own = {"query": "2x5x3x4", "key": "2x5x3x4", "value": "2x5x3x6"}
    return (
        Pair("attention", "dot_scores", two),
        Pair("attention", "dot_scores", two | {"scale": "scalar"}, case="scaled"),
        Pair("attention", "additive_scores", two),
        Pair("attention", "additive_scores", two | {"scale": "3"}, case="scaled"),
        Pair("attention", "concat_scores", two | {"scale": "scalar", "weight": "scalar"}),
        Pair("attention", "masked_softmax", {"scores": "2x5x7"}),
        Pair("attention", "masked_softmax", {"scores": "2x5x7", "mask": "5x7:mask"}, case="masked"),
        Pair("attention", "dot_product_attention", heads),
        Pair("attention", "dot_product_attention", biased, {"scale": 0.3}, "biased"),
        Pair("attention", "dot_product_attention", biased | mask, case="biased, masked"),
        Pair("attention", "dot_product_attention", own, {"is_causal": True}, "causal"),
    )


def _layers():
    two = {"query": "3x5x4", "value": "3x7x4"}
    three = {"query": "3x5x4", "value": "3x7x2", "key": "3x7x4"}
    concat, scaled = {"score_mode": "concat"}, {"use_scale": True}
    dropped = {"dropout": 0.4, "seed": 7}
    cases: tuple[tuple[str, dict, dict, dict, str], ...] = (
        ("Attention", two, {}, {}, ""),
        ("Attention", three, scaled, {}, "scaled"),
        ("Attention", three, concat, {}, "concat"),
        ("Attention", two, concat | scaled, {}, "concat, scaled"),
        ("Attention", two, dropped, {"return_attention_scores": True}, "dropout"),
        ("AdditiveAttention", two, {}, {}, ""),
        ("AdditiveAttention", three, {"use_scale": False}, {}, "not scaled"),
        ("AdditiveAttention", three, dropped, {}, "dropout"),
    )
    masked: tuple[tuple[str, dict], ...] = (
        ("masked", {"mask": ["3x5:mask", "3x7:mask"]}),
        ("causal", {"use_causal_mask": True, "mask": [None, "3x7:mask"]}),
    )
    return (
        *(Pair("attention", n, i, a, case, "layer", call=c) for n, i, a, c, case in cases),
        *(Pair("attention", "Attention", two, {}, n, "layer", call=c) for n, c in masked),
    )


def _heads():
    two = {"query": "3x5x4", "value": "3x7x6"}
    three = two | {"key": "3x7x2"}
    own = {"query": "3x5x4", "value": "3x5x4"}
    images = {"query": "2x3x5x4", "value": "2x3x7x6"}
    # of fewer keys the masks may leave one for each query, whose weight is 1 and has no gradient
    many = {"query": "3x5x4", "value": "3x11x6", "key": "3x11x2"}
    masks: dict[str, Any] = {"value_mask": "3x11:mask", "attention_mask": "3x5x11:mask"}
    size = {"num_heads": 2, "key_dim": 3}
    cases: tuple[tuple[str, dict, dict, dict], ...] = (
        ("", two, {}, {}),
        ("three inputs", three, {"value_dim": 5}, {}),
        ("output shape", two, {"output_shape": (2, 3)}, {}),
        ("dropout", two, {"dropout": 0.3, "seed": 5}, {}),
        ("scores", two, {}, {"return_attention_scores": True}),
        ("dropped scores", two, {"dropout": 0.3, "seed": 5}, {"return_attention_scores": True}),
        ("masked", many, {}, masks),
        ("masked scores", many, {}, masks | {"return_attention_scores": True}),
        ("causal", own, {}, {"use_causal_mask": True}),
        ("causal window", own, {"sliding_window": 2}, {"use_causal_mask": True}),
        ("one axis", images, {"attention_axes": 2}, {}),
        ("two axes", images, {}, {}),
    )
    layer: dict[str, Any] = {"kind": "layer", "apart": True}
    without = Pair(
        "attention", "MultiHeadAttention", two, size | {"use_bias": False}, "no bias", **layer
    )
    return without, *(
        Pair("attention", "MultiHeadAttention", i, size | a, n, zero=KEY_BIAS, call=c, **layer)
        for n, i, a, c in cases
    )


def _encoders():
    size = {"intermediate_dim": 7, "num_heads": 2}
    settings: dict[str, Any] = {"kind": "layer", "zero": KEY_BIAS}
    x = {"x": "3x5x6"}
    dropped, causal = {"dropout": 0.2, "seed": 5}, {"use_causal_mask": True}
    return (
        Pair("attention", "PositionEmbedding", x, kind="layer"),
        Pair("attention", "TransformerEncoder", x, size, **settings),
        Pair("attention", "TransformerEncoder", x, size | dropped, "dropout", **settings),
        Pair("attention", "TransformerEncoder", x, size, "causal", call=causal, **settings),
    )
