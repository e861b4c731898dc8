// SPDX-License-Identifier: MIT OR GPL-2.0-only
// What it costs to change the sender: what the guard costs in a flood is counted in its time.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "senders.h"

SEC("xdp.frags")
int empty_mut(struct xdp_md *ctx)
{
    return change_sender((void *)(long)ctx->data, (void *)(long)ctx->data_end) ? XDP_PASS : XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
