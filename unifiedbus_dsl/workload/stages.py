"""Which layers each part of a pipeline has: as even as can be, with fewer where the embeddings are."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints, frozen_array
from unifiedbus_dsl.workload.model import Model

EMBEDDINGS = 2
"""Parts that need no layer: those of the input embedding and of the output one."""


@frozen(eq=False)
class Parts:
    """Layers of each part of the model in order, [parts]: those without experts and those with."""

    plain: Ints
    routed: Ints

    @property
    def layers(self) -> Ints:
        return np.asarray(self.plain + self.routed)

    def kinds(self) -> list[tuple[int, int, bool, bool]]:
        """Return (layers without experts, with experts, has the input embedding, has the output one) by part."""
        last = len(self.plain) - 1
        return [
            (int(a), int(b), k == 0, k == last) for k, (a, b) in enumerate(zip(self.plain, self.routed, strict=True))
        ]


def divide_layers(model: Model, parts: int) -> Parts:
    """Return the layers of each of so many parts.

    What does not divide goes to parts in the middle first: the first and the last part have an embedding to compute
    beside their layers, as where 126 layers stand on 64 parts, 2 on each but for these two, or on 128, where these two
    have none (arXiv:2407.21783, 3.3.2).

    Raises:
        ValueError: fewer layers than parts that have no embedding.
    """
    if model.layers < max(1, parts - EMBEDDINGS):
        raise ValueError(f"{model.layers} layers can't be divided among {parts} parts of a pipeline")
    least, more = divmod(model.layers, parts)
    count = np.full(parts, least, dtype=np.int64)
    middle = (parts - more) // 2
    count[middle : middle + more] += 1
    stop = np.cumsum(count)
    dense = model.layers - model.expert_layers
    plain = np.clip(dense - (stop - count), 0, count)
    return Parts(frozen_array(plain), frozen_array(count - plain))
