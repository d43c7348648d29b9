"""The routings: how a traffic is shared among paths."""

from __future__ import annotations

from unifiedbus_dsl.vocabulary.signatures import ROUTINGS, Argument, Signature, Takes

VIA = Argument("via", Takes.WORD, "what is between the two legs", words=("end", "switch", "group"), default="end")
IN_GROUPS = Argument("groups", Takes.SELECTION, "the groups: `all group`", default="those that the machine has")
ORDER = Argument("order", Takes.LIST, "the dimensions in the order in which they are gone along", default="theirs")

for name, doc, arguments in (
    ("ecmp", "equally over all shortest paths, at each device by cables", ()),
    ("wcmp", "over all shortest paths, at each device by capacity", ()),
    (
        "group_minimal",
        "as in a dragonfly: inside a group, over one link between groups, inside a group",
        (IN_GROUPS,),
    ),
    ("valiant", "two legs over a random intermediate: an end point, a switch, or a group", (VIA, IN_GROUPS)),
    ("updown", "up to the lowest tier from which the target can be reached, then down", ()),
    ("dor", "along the dimensions of the array of end points, one after another", (ORDER,)),
    ("minimal", "best over shortest paths: a linear program, with a certificate", ()),
    ("optimal", "best over all paths: a linear program, with a certificate", ()),
):
    ROUTINGS.register(Signature(name, doc, arguments))
