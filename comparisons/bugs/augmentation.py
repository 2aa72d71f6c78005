"""Bugs of augmentation: what was moved on the way forth has to be moved back on the way back."""

from .bug import Bug

IMAGES = {"images": "3x5x4x2"}
LIT = {"value_range": (-0.7, 1.1)}

BUGS = (
    Bug(
        name="flipped-there-but-not-back",
        target="augmentation.flip",
        right="return turn(images), turn",
        wrong="return turn(images), lambda dy: dy",
        story="Images are reversed, and their gradient comes back as it is. What was seen at "
        "the left edge is taught to the right one.",
        symptom="The gradient of the reversed images is reversed.",
        cause="flipped",
        source="our own",
        inputs=IMAGES,
        arguments={"flips": True, "axes": (1, 2)},
    ),
    Bug(
        name="cropped-gradient-in-the-corner",
        target="augmentation.crop",
        right="dx[:, rows, columns] = dy",
        wrong="dx[:, :height, :width] = dy",
        story="The gradient of a crop is put into the upper left corner, not where the crop "
        "was. A crop that starts there hides it.",
        symptom="The gradient is right, in the wrong place.",
        cause="another mask",
        source="our own",
        inputs=IMAGES,
        arguments={"top": 1, "left": 2, "height": 3, "width": 2},
    ),
    Bug(
        name="clipped-pixels-keep-their-gradient",
        target="augmentation.functions._clip",
        checks="augmentation.adjust_brightness",
        right="np.where(inside, dy, 0)",
        wrong="dy",
        story="Pixels that were cut to the range of values get their gradient all the same. No "
        "change of them would show.",
        symptom="The gradient is wrong only where it should be zero.",
        cause="derivative missing",
        source="a classic of clip",
        inputs=IMAGES | {"delta": "3x1x1x1"},
        arguments=LIT,
        constant=("delta",),
    ),
)
