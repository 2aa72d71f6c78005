from .pair import Pair


def rows() -> tuple[Pair, ...]:
    images = {"images": "3x5x4x2"}
    lit = {"value_range": (-0.7, 1.1)}
    delta, factor = images | {"delta": "3x1x1x1"}, images | {"factor": "3x1x1x1:positive"}
    turned = ((((True,),),),)
    return (
        Pair("augmentation", "flip", images, {"flips": turned, "axes": (1, 2)}),
        Pair("augmentation", "crop", images, {"top": 1, "left": 0, "height": 3, "width": 2}),
        Pair("augmentation", "adjust_brightness", delta, lit, constant=("delta",)),
        Pair("augmentation", "adjust_contrast", factor, lit, constant=("factor",)),
        *_layers(),
    )


def _layers():
    x, seeded = {"x": "4x5x7x2"}, {"seed": 5}
    lit = seeded | {"value_range": (-0.7, 1.1)}
    first = seeded | {"data_format": "channels_first"}
    cases = (
        ("RandomFlip", seeded, ""),
        ("RandomFlip", seeded | {"mode": "horizontal"}, "horizontal"),
        ("RandomFlip", first | {"mode": "vertical"}, "channels first"),
        ("RandomCrop", seeded | {"height": 3, "width": 4}, ""),
        ("RandomCrop", seeded | {"height": 5, "width": 4}, "the middle"),
        ("RandomCrop", first | {"height": 3, "width": 1}, "channels first"),
        ("RandomBrightness", lit | {"factor": 0.4}, ""),
        ("RandomBrightness", lit | {"factor": (-0.1, 0.4)}, "a pair"),
        ("RandomContrast", lit | {"factor": 0.4}, ""),
        ("RandomContrast", lit | {"factor": (0.1, 0.4)}, "a pair"),
    )
    return tuple(Pair("augmentation", n, x, a, case, "layer") for n, a, case in cases)
