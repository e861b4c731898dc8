// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The guard as its next version might be: other instructions, and so another tag, but the same verdicts.
#include "hook.h"

SEC("xdp.frags")
int solana_xdp(struct xdp_md *ctx)
{
    int verdict = guard(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
    asm volatile("%0 += 0" : "+r"(verdict));
    return verdict;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
