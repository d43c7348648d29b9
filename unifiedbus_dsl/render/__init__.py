"""Pictures of a system.

Overviews, details and floor plans are made as frozen values (`marks`), laid out here and drawn by Graphviz.
"""

from unifiedbus_dsl.render.engine import DrawingError, NoGraphvizError
from unifiedbus_dsl.render.overview import overview, overview_set

__all__ = ["DrawingError", "NoGraphvizError", "overview", "overview_set"]
