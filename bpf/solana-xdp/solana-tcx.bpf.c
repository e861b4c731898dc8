// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The guard for hosts where another program has XDP: after the kernel has made a socket buffer of the frame, and before
// it looks at it. What passes goes on to other programs of the hook.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

typedef struct __sk_buff context;

#define PASS TC_ACT_UNSPEC
#define DROP TC_ACT_SHOT

static __always_inline __u32 frame_length(context *ctx)
{
    return ctx->len;
}

static __always_inline long load(context *ctx, __u32 offset, void *to, __u32 bytes)
{
    return bpf_skb_load_bytes(ctx, offset, to, bytes);
}

static __always_inline __u32 segments(context *ctx)
{
    // What comes from a virtual machine has a size and no number.
    if (!ctx->gso_segs && ctx->gso_size) return ctx->len / ctx->gso_size + 1;
    return ctx->gso_segs ?: 1;
}

static __always_inline __u32 segment_bytes(context *ctx)
{
    return ctx->gso_size;
}

#include "guard.h"

// Some drivers leave all but a few bytes of a frame in pages of their own, where a program can't read them. So much is
// brought within reach: two tags, IP with all its options or some extensions, and the transport header.
#define HEADERS 128

// The loader attaches it to tcx; its name there, "tcx/ingress", is not known to all loaders.
SEC("classifier")
int solana_tcx(struct __sk_buff *ctx)
{
    __u32 wanted = ctx->len < HEADERS ? ctx->len : HEADERS;
    if ((void *)(long)ctx->data_end - (void *)(long)ctx->data < wanted) bpf_skb_pull_data(ctx, wanted);
    return guard(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
