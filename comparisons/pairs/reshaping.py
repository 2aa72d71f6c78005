from .pair import Pair


def rows() -> tuple[Pair, ...]:
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
