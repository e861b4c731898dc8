// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Sends what it is run on out of an interface, each time from another sender: run on live frames, it is a flood.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "senders.h"

// Where to.
const volatile __u32 interface = 0;

// The checksum of an IPv4 header without options.
static __always_inline __u16 checksum(const struct iphdr *header)
{
    const __u16 *words = (const void *)header;
    __u32 sum = 0;
    // What was written as other types is to be seen.
    barrier();
#pragma unroll
    for (int i = 0; i < 10; i++) sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16));
}

SEC("xdp")
int flood(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    if (!change_sender(data, end)) return XDP_ABORTED;
    struct iphdr *header = data + sizeof(struct ethhdr);
    if ((void *)(header + 1) > end) return XDP_ABORTED;
    header->check = 0;
    header->check = checksum(header);
    return bpf_redirect(interface, 0);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
