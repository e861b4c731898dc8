// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The guard where it costs least: in the driver, before the kernel has made anything of the frame.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

typedef struct xdp_md context;

#define PASS XDP_PASS
#define DROP XDP_DROP

static __always_inline __u32 frame_length(context *ctx)
{
    return bpf_xdp_get_buff_len(ctx);
}

static __always_inline long load(context *ctx, __u32 offset, void *to, __u32 bytes)
{
    return bpf_xdp_load_bytes(ctx, offset, to, bytes);
}

static __always_inline __u32 segments(context *ctx __attribute__((unused)))
{
    return 1;
}

static __always_inline __u32 segment_bytes(context *ctx __attribute__((unused)))
{
    return 0;
}

#include "guard.h"

SEC("xdp.frags")
int solana_xdp(struct xdp_md *ctx)
{
    return guard(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
