// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Gives a frame another sender each time, as a flood of invented addresses has: 2^28 of them, 16.0.0.0/4.
#ifndef XDP_YARDSTICKS_SENDERS_H
#define XDP_YARDSTICKS_SENDERS_H

#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>

// The state of a linear congruential generator (Knuth, MMIX). Of one CPU; in a section of its own, for the guard's
// sections are as its loader knows them.
__u64 draw SEC(".bss.senders") = 0;

// Writes the next sender into an IPv4 frame without tags; 0 where it is none. The checksum is not looked at by XDP, and left as it is.
static __always_inline int change_sender(void *data, void *end)
{
    struct ethhdr *ethernet = data;
    struct iphdr *header = (void *)(ethernet + 1);
    if ((void *)(header + 1) > end) return 0;
    draw = draw * 6364136223846793005 + 1442695040888963407;
    // The first byte of an address as it is on the wire is the lowest one.
    header->saddr = (draw >> 32 & ~0xf0U) | 0x10;
    return 1;
}

#endif
