// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The guard as its next version might be: other instructions, and so another tag, but the same verdicts.
#define solana_xdp as_it_is  // is not loaded
#include "../solana-xdp/solana-xdp.bpf.c"
#undef solana_xdp

SEC("xdp.frags")
int solana_xdp(struct xdp_md *ctx)
{
    int verdict = guard(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
    asm volatile("%0 += 0" : "+r"(verdict));
    return verdict;
}
