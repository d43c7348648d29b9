"""The formats that are read: one module each in `unifiedbus_dsl.importer.formats`.

A module has `is_it(head)`, which tells by the beginning of a text whether it is of the format, and `read(source,
doubts)`, which gives the table of it. The format is told by the content; where several would do, by the suffix, then in
the order here."""

from __future__ import annotations

from types import ModuleType

from attrs import frozen

from unifiedbus_dsl.importer.formats import (
    cable_list,
    containerlab,
    dot,
    graphml,
    hccl,
    ibdiagnet,
    iblinkinfo,
    ibnetdiscover,
    infragraph,
    lldp,
    lstopo,
    nccl,
    node_link,
    nvidia_smi,
    simulators,
    slurm,
)
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source


@frozen
class Form:
    """A format: what it is, the suffixes that its files usually have, its module."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    reader: ModuleType


FORMS = {
    form.name: form
    for form in (
        Form("infragraph", "InfraGraph as JSON: devices, instances, edges over slices", (".json",), infragraph),
        Form("containerlab", "a topology of containerlab", (".yml", ".yaml", ".json"), containerlab),
        Form("node-link", "node-link JSON, as NetworkX, d3 and `ubusc export` write it", (".json",), node_link),
        Form("graphml", "GraphML, as NetworkX, yEd, the Topology Zoo and `ubusc export` write it", (".graphml", ".xml"),
             graphml),
        Form("ibnetdiscover", "what `ibnetdiscover` prints, also with `-p`", (".txt", ".topo", ".ibnet"),
             ibnetdiscover),
        Form("iblinkinfo", "what `iblinkinfo` prints, also with `-l`", (".txt",), iblinkinfo),
        Form("ibdiagnet", "`ibdiagnet2.net_dump` and `ibdiagnet2.db_csv`", (".net_dump", ".db_csv"), ibdiagnet),
        Form("lldp", "neighbours by LLDP as JSON, of `lldpcli -f json`, SONiC and EOS", (".json",), lldp),
        Form("hccl", "HCCL's topology file and rank tables of Ascend", (".json",), hccl),
        Form("nccl", "NCCL's topology of a node (XML)", (".xml",), nccl),
        Form("lstopo", "hwloc's topology of a machine (`lstopo --of xml`)", (".xml",), lstopo),
        Form("nvidia-smi", "the matrix of `nvidia-smi topo -m`", (".txt",), nvidia_smi),
        Form("slurm", "Slurm's `topology.conf` and `topology.yaml`", (".conf", ".yaml", ".yml"), slurm),
        Form("dot", "DOT, as Graphviz has it", (".dot", ".gv"), dot),
        Form("simulator", "SimAI's, HPCC's and BookSim's topologies", (".txt",), simulators),
        Form("cables", "a cable list of ours, of NetBox, of UFM (P2P, NDT), or any with such columns", (".csv", ".tsv"),
             cable_list),
    )
}  # fmt: skip
"""In the order in which they are tried."""


def form_of(source: Source, name: str | None) -> Form:
    """Return the format of a file, or the one that was named.

    Raises:
        ImportFailed: it is none, or there is none of this name.
    """
    if name is not None:
        if name not in FORMS:
            raise ImportFailed(f"there is no format `{name}` to read; there are {', '.join(FORMS)}")
        return FORMS[name]
    fitting = [form for form in FORMS.values() if form.reader.is_it(source.head)]
    suffix = source.path.suffix.lower()
    if not fitting:
        known = ", ".join(FORMS)
        raise ImportFailed(f"`{source.title}` is of no format that can be read ({known}), by its first lines")
    return next((form for form in fitting if suffix in form.suffixes), fitting[0])
