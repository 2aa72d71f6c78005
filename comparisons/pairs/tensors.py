from .pair import Pair


def rows() -> tuple[Pair, ...]:
    matrix, images = {"x": "5x3"}, {"x": "7x6x5"}
    matrices, vectors = {"x1": "5x3", "x2": "5x3"}, {"x1": "7", "x2": "7"}
    matrix_and_vector = {"x1": "5x3", "x2": "3"}
    product = {"x1": "5x3", "x2": "3x4"}
    crossing = {"x1": "5x1x3", "x2": "4x1"}
    points = {"x": "7x2"}
    everywhere = (None, None)
    return (
        Pair("tensors", "crop", images, {"ranges": [(2, 5)]}),
        Pair("tensors", "crop", images, {"ranges": [everywhere, (2, -2), (1, None)]}, "inside"),
        Pair("tensors", "batch", images, {"n": 1, "batch_size": 3}),
        Pair("tensors", "batch", images, {"n": 2, "batch_size": 3}, "the last, with what is left"),
        Pair("tensors", "reshape", images, {"newshape": (5, -1)}),
        Pair("tensors", "transpose", matrix),
        Pair("tensors", "transpose", images, {"axes": (1, 2, 0)}, "axes in a circle"),
        Pair("tensors", "naive_relu", matrix),
        Pair("tensors", "naive_add", matrices),
        Pair("tensors", "naive_add_matrix_and_vector", matrix_and_vector),
        Pair("tensors", "broadcast_to", {"x": "3"}, {"shape": (5, 3)}),
        Pair("tensors", "broadcast_to", {"x": "3x1x5"}, {"shape": (2, 3, 4, 5)}, "between"),
        *(
            Pair("tensors", name, inputs, case=case)
            for name in ("add", "multiply")
            for inputs, case in (
                (matrices, ""),
                (matrix_and_vector, "matrix and vector"),
                (crossing, "each repeated"),
            )
        ),
        Pair("tensors", "vector_sum", {"x": "7"}),
        Pair("tensors", "vector_average", {"x": "7"}),
        Pair("tensors", "vector_dot", vectors),
        Pair("tensors", "naive_vector_dot", vectors),
        Pair("tensors", "naive_matrix_vector_dot", matrix_and_vector),
        Pair("tensors", "naive_matrix_vector_dot_by_rows", matrix_and_vector),
        Pair("tensors", "naive_matrix_dot", product),
        Pair("tensors", "dot", vectors, case="vectors"),
        Pair("tensors", "dot", matrix_and_vector, case="matrix and vector"),
        Pair("tensors", "dot", {"x1": "3", "x2": "3x4"}, case="vector and matrix"),
        Pair("tensors", "dot", product),
        Pair("tensors", "translate", points | {"offset": "2"}),
        Pair("tensors", "scale", points | {"factors": "2"}),
        Pair("tensors", "rotate", points | {"angle": "scalar"}),
        Pair("tensors", "linear_map", points | {"kernel": "2x3"}),
        Pair("tensors", "affine_map", points | {"kernel": "2x3", "bias": "3"}),
        Pair(
            "tensors",
            "compose_affine_maps",
            {"kernel1": "5x3", "bias1": "3", "kernel2": "3x4", "bias2": "4"},
        ),
        Pair("tensors", "to_categorical", {"x": "7:int:4"}, {"num_classes": 5}, kind="values"),
    )
