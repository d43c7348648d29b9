"""From the `afr` fields: how often something fails, and how much of the time all is up."""

from __future__ import annotations

from unifiedbus_dsl.base.units import NUMBER, TIME, format_share
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.surviving_aggregates import SurvivingAggregates
from unifiedbus_dsl.semantic.select.aggregates import Aggregates
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.verify.sums import WholeSumCertificate

HOURS_A_YEAR = 8760.0


def mtbf(call: MeasureCall) -> Certified[Answer]:
    answer = call.exact(_mtbf_s(call), TIME, assumptions=("8,760 h over the sum of AFR",))
    return _certified(call, answer, None)


def availability(call: MeasureCall) -> Certified[Answer]:
    between = _mtbf_s(call)
    repair = call.quantity("mttr", TIME)
    assert repair is not None  # required
    value = between / (between + repair)
    answer = call.exact(value, NUMBER, assumptions=("MTBF / (MTBF + MTTR)",), text=format_share(value, places=4))
    return _certified(call, answer, repair)


def _certified(call: MeasureCall, answer: Answer, repair_s: float | None) -> Certified[Answer]:
    return Certified(answer, WholeSumCertificate("afr", call.machine.lost_devices, repair_s, failures=True))


def _mtbf_s(call: MeasureCall) -> float:
    """Return the seconds from one failure to the next, of all that is left and states an `afr` (failures a year)."""
    whole = Aggregates(call.selector.machine)
    if whole.total("afr", whole.all_items()) is None:
        raise call.refuse(call.node, "nothing in this system states an `afr`", "add `afr = 0.02` to parts and links")
    left = whole.total("afr", SurvivingAggregates(call.machine, call.selector).all_items())
    if left is None or left.value <= 0:
        raise NotAdmittedError("nothing that is left ever fails: each `afr` is 0, or what states one is lost")
    return HOURS_A_YEAR * 3600 / float(left)
