"""What devices are: kinds by the words that files use for them, adapters by the host that they are in, what is no end
point.

A file may call a kind by any word of `WORDS`, in capitals or not. Another word is refused, with those there are. Where
a file says no kind of any device, one whose name has a word of `SWITCH_WORDS` in it is a switch."""

from __future__ import annotations

import re
from collections import Counter

from attrs import evolve, frozen

from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.vocabulary.attributes import KINDS_OF_DEVICE

WORDS = {
    "switch": (
        "switch", "leaf", "spine", "tor", "core", "agg", "aggregation", "superspine", "super-spine", "core switch",
        "leaf switch", "spine switch", "l1", "l2", "access", "distribution", "border", "edge", "router", "bridge", "sw",
        "rt", "nvswitch", "pcieswitch", "fabric", "bordergateway", "gateway", "line", "chassis",
    ),
    "npu": ("npu", "gpu", "accelerator", "xpu", "tpu", "ascend", "dcu", "mlu", "gcd"),
    "cpu": ("cpu", "processor", "socket"),
    "nic": ("nic", "hca", "ca", "adapter", "dpu", "rnic", "tca", "smartnic", "network adapter", "hfi"),
    "device": (
        "device", "host", "server", "node", "compute", "computenode", "compute node", "machine", "end", "endpoint",
        "end point", "station", "pc", "storage", "bridge host", "client",
    ),
}  # fmt: skip
"""The kinds of the language with the words that files have for them."""
KIND_OF_WORD = {word: kind for kind, words in WORDS.items() for word in words}
SWITCH_WORDS = re.compile(
    r"(?<![a-z])(switch(x|-?ib)?|leaf|spine|superspine|tor|core|agg|sw|rtr|router|m(qm|sx|sb|sn|s)\d+|qm\d+)(?![a-z])",
    re.IGNORECASE,
)
"""What the names of switches have in them."""
ADAPTER = re.compile(r"\S+ (mlx\d+_\d+|hca[-_ ]?\d+|hfi\d+_\d+|bnxt_re\d+|irdma\d+)", re.IGNORECASE)
"""What the descriptions of adapters are, which lists without kinds have for names."""
HOST_RULE = r"(?P<host>\S+)[ /](?P<adapter>\S+)"
"""How an adapter is described: the host, then the adapter. This is what `ibnetdiscover` shows."""


@frozen
class Hosts:
    """The rule by which adapters belong to hosts: an expression with a group `host`, or one group; empty for none."""

    rule: str = HOST_RULE

    def of(self, name: str) -> str:
        """Return the host of an adapter; empty where the rule says nothing."""
        match = re.fullmatch(self.rule, name) if self.rule else None
        if match is None:
            return ""
        groups = match.groupdict()
        return (groups["host"] if "host" in groups else match[1]) or ""

    @classmethod
    def read(cls, text: str) -> Hosts:
        """Return the rule of a text; `none` for no rule.

        Raises:
            ValueError: it is no expression with a group.
        """
        if text == "none":
            return cls("")
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise ValueError(f"`{text}` is no regular expression: {error}") from error
        if not pattern.groups:
            raise ValueError(f"`{text}` has no group in it: write `(.+) mlx5_\\d+`, say, or `none`")
        return cls(text)


def classify(table: Table, hosts: Hosts) -> Table:
    """Return the table with kinds of the language, hosts of adapters, and the names that say what a device is.

    Raises:
        ImportFailed: a device is of a kind that no word of `WORDS` says.
    """
    meant: Counter[tuple[str, str]] = Counter()
    devices = [_of_kind(device, meant) for device in table.devices]
    said = sorted((word, kind, count) for (word, kind), count in meant.items())
    if said:
        table.doubts.remark(
            "kinds: " + ", ".join(f"`{w}` is taken as {k} ({counted(n, 'device')})" for w, k, n in said)
        )
    if table.types is None:
        devices = _by_name(table, devices)
    _tell_unknown(table, devices)
    if table.types is None:
        uses = Counter(device.label or device.name for device in devices)
        devices = [_in_host(device, hosts, uses) for device in devices]
        adapters = sum(1 for device in devices if device.host)
        if adapters:
            count = len({device.host for device in devices if device.host})
            table.doubts.remark(
                f"hosts: {counted(adapters, 'adapter')} in {counted(count, 'host')}, by the rule `{hosts.rule}` "
                "(`--hosts RULE` is another, `--hosts none` leaves adapters alone)"
            )
    table.devices = devices
    return table


def _in_host(device: Device, hosts: Hosts, uses: Counter[str]) -> Device:
    """Return an adapter in its host; one that says the same of itself as another is in a host that nobody can tell from
    the other's, and so in one of its own."""
    if device.kind != "nic" or device.host or device.role:
        return device
    called = device.label or device.name
    host = hosts.of(called)
    return evolve(device, host=f"{host} {device.id or device.name}" if host and uses[called] > 1 else host)


def _of_kind(device: Device, meant: Counter[tuple[str, str]]) -> Device:
    word = " ".join(device.kind.lower().split())
    if word in KINDS_OF_DEVICE or not word:
        return device if device.kind == word else evolve(device, kind=word)
    kind = KIND_OF_WORD.get(word)
    if kind is None:
        words = "; ".join(f"{kind}: {', '.join(words[1:])}" for kind, words in WORDS.items())
        raise ImportFailed(
            f"`{device.name}` is of kind `{device.kind[:60]}`; kinds are {', '.join(KINDS_OF_DEVICE)}, and words that "
            f"are taken for them: {words}"
        )
    meant[word, kind] += 1
    return evolve(device, kind=kind)


def _by_name(table: Table, devices: list[Device]) -> list[Device]:
    """Switches and adapters by their names, where the file says nothing."""
    renamed = [d if d.kind else evolve(d, kind=_kind_by_name(d.name)) for d in devices]
    switches = [new.name for old, new in zip(devices, renamed, strict=True) if not old.kind and new.kind == "switch"]
    if switches:
        table.doubts.remark(
            f"by their names, as the file says no kind of them: {counted(len(switches), 'device')} with leaf, spine, "
            f"switch or the like in the name {'is a switch' if len(switches) == 1 else 'are switches'} "
            f"(`{switches[0]}` for one)"
        )
    return renamed


def _kind_by_name(name: str) -> str:
    if ADAPTER.fullmatch(name):
        return "nic"
    return "switch" if SWITCH_WORDS.search(name) else ""


def _tell_unknown(table: Table, devices: list[Device]) -> None:
    unknown = [device.name for device in devices if not device.kind]
    if unknown:
        table.doubts.remark(
            f"{counted(len(unknown), 'device')} of no kind (`{unknown[0]}` for one) "
            f"{'is an end point that forwards' if len(unknown) == 1 else 'are end points that forward'} nothing"
        )
