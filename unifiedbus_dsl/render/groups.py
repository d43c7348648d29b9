"""Groups of devices by which the cables of a picture are told apart."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.render import palette


@frozen(eq=False)
class Groups:
    """`group` [D] of the devices of a picture's type, in their order; -1 for those of none."""

    group: Ints
    colours: tuple[str, ...]

    def colour(self, one: range, other: range) -> str:
        """Return the colour of the cables between two runs of devices: that of their group, a quiet one where they are
        of none or of several."""
        found = {int(g) for each in (one, other) for g in np.unique(self.group[each.start : each.stop])} - {-1}
        return self.colours[found.pop()] if len(found) == 1 else palette.QUIET
