"""The formats that are written, in the order of `--help`: one module each, or a family of them in one.

Apart from the package, so that whoever needs a part of it (names, streams) does not load every format.
"""

from __future__ import annotations

from unifiedbus_dsl.export.base import Format
from unifiedbus_dsl.export.formats import (
    astra_sim,
    bom,
    booksim,
    cables,
    chakra,
    containerlab,
    cytoscape,
    d2,
    drawio,
    graphml,
    graphology,
    hccl,
    hccl12,
    hpcc,
    htsim,
    infragraph,
    kubernetes,
    labels,
    lft,
    mermaid,
    mtx,
    nccl,
    netbox,
    node_link,
    ns3,
    parquet,
    routes,
    simai,
    simgrid,
    slurm,
    slurm_shapes,
    sonic,
    sst,
    topograph,
    usd,
)

_MODULES = (
    cables,
    labels,
    netbox,
    bom,
    node_link,
    cytoscape,
    graphology,
    graphml,
    slurm,
    slurm_shapes,
    kubernetes,
    topograph,
    hccl,
    hccl12,
    ns3,
    routes,
    lft,
    simgrid,
    astra_sim,
    chakra,
    booksim,
    sst,
    hpcc,
    infragraph,
    simai,
    htsim,
    mermaid,
    drawio,
    containerlab,
    usd,
    sonic,
    d2,
    mtx,
    nccl,
    parquet,
)
_FAMILIES: tuple[tuple[Format, ...], ...] = tuple(
    module.FORMATS if hasattr(module, "FORMATS") else (module.FORMAT,) for module in _MODULES
)

FORMATS: dict[str, Format] = {form.name: form for family in _FAMILIES for form in family}
"""Every format by its name, in the order of `--help`."""
