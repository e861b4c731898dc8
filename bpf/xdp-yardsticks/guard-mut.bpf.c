// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The guard, for which every packet comes from another sender.
#define solana_xdp as_it_is  // is not loaded
#include "../solana-xdp/solana-xdp.bpf.c"
#undef solana_xdp

#include "senders.h"

SEC("xdp.frags")
int solana_xdp(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    return change_sender(data, end) ? guard(ctx, data, end) : XDP_ABORTED;
}
