"""Pictures of a system, all from its plan alone.

`overview` shows any system, folded; `detail` every device of a part; `floor` what stands where. Pictures are made as
frozen values (`marks`), laid out here and drawn by Graphviz.
"""

from unifiedbus_dsl.render.detail import TooManyMarksError, detail
from unifiedbus_dsl.render.engine import DrawingError, NoGraphvizError
from unifiedbus_dsl.render.floor import NothingPlacedError, floor
from unifiedbus_dsl.render.overview import overview, overview_set
from unifiedbus_dsl.render.plan_summary import NotAnAssemblyError

__all__ = [
    "DrawingError",
    "NoGraphvizError",
    "NotAnAssemblyError",
    "NothingPlacedError",
    "TooManyMarksError",
    "detail",
    "floor",
    "overview",
    "overview_set",
]
