// SPDX-License-Identifier: GPL-2.0
// Counts IPv4 UDP packets by destination port, per processor, and passes everything.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 65536);
    __type(key, __u32);
    __type(value, __u64);
} packets SEC(".maps");

// The packet's UDP header, or 0 where it is no whole UDP datagram in one IPv4 packet.
static const struct udphdr *udp_header(const struct xdp_md *context) {
    const void *data = (const void *)(long)context->data;
    const void *end = (const void *)(long)context->data_end;

    const struct ethhdr *eth = data;
    if ((const void *)(eth + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)) return 0;
    const struct iphdr *ip = (const void *)(eth + 1);
    if ((const void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return 0;
    // A later fragment has payload where a port would be.
    if (ip->protocol != IPPROTO_UDP || (ip->frag_off & bpf_htons(0x1fff))) return 0;
    const struct udphdr *udp = (const void *)ip + ip->ihl * 4;
    return (const void *)(udp + 1) > end ? 0 : udp;
}

SEC("xdp.frags")
int udp_count(struct xdp_md *context) {
    const struct udphdr *udp = udp_header(context);
    if (!udp) return XDP_PASS;
    __u32 port = bpf_ntohs(udp->dest);
    __u64 *count = bpf_map_lookup_elem(&packets, &port);
    if (count) (*count)++;
    return XDP_PASS;
}

char license[] SEC("license") = "GPL";
