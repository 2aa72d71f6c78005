"""Two networks from one seed, trained step by step beside each other and judged."""

from .compare import Interrupted, compare

__all__ = ["Interrupted", "compare"]
