// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The guard for XDP, as `solana-xdp.bpf.c` includes it.
#ifndef XDP_YARDSTICKS_HOOK_H
#define XDP_YARDSTICKS_HOOK_H

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

#include "../solana-xdp/guard.h"

#endif
