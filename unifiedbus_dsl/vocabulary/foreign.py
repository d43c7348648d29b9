"""Words of other tools and tongues, with those that the language has for them: for help lines alone."""

from __future__ import annotations

from collections.abc import Mapping


def _words(**ours: str) -> dict[str, str]:
    return {word: name for name, words in ours.items() for word in words.split()}


KINDS: Mapping[str, str] = _words(
    npu="gpu gpus accelerator accelerators tpu tpus xpu npus chip chips gcd",
    cpu="processor processors cpus host hosts",
    switch="router routers switches leaf leaves spine spines tor",
    nic="hca dpu adapter nics",
    node="server servers nodes machine machines",
    board="tray blade sled boards",
    rack="cabinet cabinets frame racks",
    superpod="pod pods",
    link="links cable cables wire wires edge edges",
    port="ports interface interfaces",
)
"""Kinds of parts."""

CALLS: Mapping[str, str] = _words(
    alltoall="a2a all2all all_to_all alltoallv",
    allreduce="all_reduce ar",
    allgather="all_gather ag",
    reducescatter="reduce_scatter rs",
    uniform="random uniform_random",
    shift="cyclic neighbor neighbour",
    sum="total add",
    count="number num len length",
    latency="delay ping rtt",
    throughput="goodput",
    bandwidth="bw",
    time="duration cct completion",
    bisection="bisection_bandwidth bisection_width bisect cut mincut",
    load="utilization utilisation congestion",
    hops="distance",
    train="training pretrain pretraining finetune",
    serve="serving inference generate",
    step_time="iteration_time step_latency train_time training_time",
    prefill_time="ttft time_to_first_token",
    decode_time="tpot itl inter_token_latency time_per_output_token",
    token_rate="tokens_per_second tokens tps",
    memory="footprint memory_usage",
    disjoint_paths="maxflow max_flow edge_connectivity connectivity",
    oversubscription="oversub blocking blocking_factor",
    power="watts",
    cost="price",
)
"""Measures, patterns of traffic, forms of a workload."""

UNITS: Mapping[str, str] = {
    **dict.fromkeys(("gigabyte", "gigabytes", "Gbyte", "Gbytes"), "GB"),
    **dict.fromkeys(("megabyte", "megabytes", "Mbyte", "Mbytes"), "MB"),
    **dict.fromkeys(("terabyte", "terabytes", "Tbyte", "Tbytes"), "TB"),
    **dict.fromkeys(("nanosecond", "nanoseconds", "nsec", "nsecs"), "ns"),
    **dict.fromkeys(("microsecond", "microseconds", "usec", "usecs"), "us"),
    **dict.fromkeys(("millisecond", "milliseconds", "msec", "msecs"), "ms"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("watt", "watts"), "W"),
    **dict.fromkeys(("dollar", "dollars", "usd", "$"), "USD"),
    **dict.fromkeys(("minute", "minutes"), "min"),
    **{
        f"{prefix}{word}": f"{prefix}FLOPS"
        for prefix in "GTPE"
        for word in ("F", "flop", "FLOP", "flops", "Flops", "FLOPs", "flop/s", "OPS")
    },
}
"""Units that are spelt otherwise."""

OTHER_UNITS: Mapping[str, str] = {
    **dict.fromkeys(("ft", "feet", "foot", "in", "inch", "inches"), "lengths are in metres: `m`, `cm`, `mm`, `km`"),
    **dict.fromkeys(
        ("GHz", "MHz", "Hz", "GT/s", "GT", "Gbaud", "Baud", "baud"),
        "a rate is in bits or bytes a second: `Gbps`, `GB/s`",
    ),
    **dict.fromkeys(("EUR", "CNY", "RMB", "GBP", "JPY", "CHF", "KRW", "INR"), "money is in `USD`"),
}
"""Units that the language has no word for."""

VALUES: Mapping[str, str] = _words(
    optical="fibre fiber optic optics optical_fibre fibre_optic aoc mmf smf",
    copper="dac electrical passive acc aec",
    pcb="trace board_trace backplane",
)
"""Words that are values of fields."""

WORDS: Mapping[str, str] = _words(
    one_f_one_b="1f1b 1b1f pipedream pipedream_flush",
    interleaved="interleaved_1f1b vpp virtual",
    zero_bubble="zb zbh1 zb_h1 zerobubble",
    optimizer="zero1 zero_1 distributed_optimizer",
    gradients="zero2 zero_2",
    weights="zero3 zero_3 fsdp",
    bf16="bfloat16",
    fp16="half float16",
    fp32="float32 float",
)
"""Words that an argument may be."""

ARGUMENTS: Mapping[str, frozenset[str]] = {
    "size": frozenset(("bytes", "length", "payload", "volume", "message_size", "data", "msg_size", "message")),
    "message": frozenset(("msg", "packet", "bytes", "size", "payload")),
    "algorithm": frozenset(("algo", "alg", "method", "schedule")),
    "routing": frozenset(("route", "router", "policy", "algo", "algorithm", "path")),
    "within": frozenset(("per", "inside", "group_by", "by", "group")),
    "groups": frozenset(("ways", "num_groups", "group_size", "group")),
    "on": frozenset(("nodes", "hosts", "placement", "where", "in")),
    "beside": frozenset(("with", "background", "alongside", "others")),
    "batch": frozenset(("batch_size", "global_batch", "global_batch_size", "gbs", "sequences")),
    "microbatch": frozenset(("micro_batch", "micro_batch_size", "microbatch_size", "mbs")),
    "sequence": frozenset(("seq", "seq_len", "seq_length", "sequence_length", "tokens", "context_length")),
    "tensor": frozenset(("tp", "tensor_parallel", "tensor_parallel_size", "model_parallel", "mp")),
    "context": frozenset(("cp", "context_parallel", "ring_attention", "sp")),
    "pipeline": frozenset(("pp", "stages", "pipeline_parallel", "pipeline_parallel_size")),
    "expert": frozenset(("ep", "expert_parallel", "experts", "moe")),
    "data": frozenset(("dp", "replicas", "data_parallel")),
    "precision": frozenset(("dtype", "type", "format")),
    "recompute": frozenset(("checkpointing", "activation_checkpointing", "recomputation", "remat")),
    "shard": frozenset(("zero", "zero_stage", "fsdp", "sharding")),
    "prompt": frozenset(("isl", "input", "input_length", "prompt_length")),
    "output": frozenset(("osl", "output_length", "max_tokens")),
    "concurrency": frozenset(("sequences", "batch", "batch_size", "users", "requests")),
}
"""Arguments, each with other names for it."""

FIELDS: Mapping[str, str] = _words(
    reach="length max_length maxlength max_reach distance",
    latency="delay_time lag",
    medium="material media cable_type",
    lane="lane_rate lanerate lane_speed",
    power="tdp watts power_draw",
    cost="price",
)
"""Fields that the compiler knows by another name."""

TRUTH: Mapping[str, str] = {
    **dict.fromkeys(("True", "TRUE", "yes", "on"), "true"),
    **dict.fromkeys(("False", "FALSE", "no", "off"), "false"),
}
"""Truth values."""
