from .pair import Pair


def rows() -> tuple[Pair, ...]:
    indices, sizes = "7x3:int:5", {"input_dim": 5, "output_dim": 4}
    steps = {"x": "7x5x2:binary"}
    return (
        Pair("embedding", "embedding", {"indices": indices, "embeddings": "5x4"}),
        Pair("embedding", "Embedding", {"indices": indices}, sizes, kind="layer"),
        Pair("embedding", "Masking", steps, kind="layer"),
        Pair("embedding", "Masking", steps, {"mask_value": 1.0}, "of ones", kind="layer"),
    )
