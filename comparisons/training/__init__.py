"""Two networks from one seed, trained step by step beside each other and judged."""

from .compare import Interrupted, compare, train
from .setup import prepare

__all__ = ["Interrupted", "compare", "prepare", "train"]
