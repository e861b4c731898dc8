// SPDX-License-Identifier: MIT OR GPL-2.0-only
// What every XDP program costs: the race counts in its time.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int empty(struct xdp_md *ctx __attribute__((unused)))
{
    return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
