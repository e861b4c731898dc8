// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Which packets reach the sockets of a Solana node. Each hook includes this file after it has defined
//
//     context                                     what the kernel hands to its program
//     frame_length(context *)                     the bytes of the frame, also of those that are not in reach
//     load_byte(context *, offset, __u8 *)        a byte that is not in reach; not 0 where there is none
//
// and calls `guard`. The order of the steps is what a flood costs: what needs no memory comes first, then what only
// this CPU has, and what all CPUs share comes last.
#ifndef SOLANA_XDP_GUARD_H
#define SOLANA_XDP_GUARD_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define inline_always static __always_inline

// What the loader sets once. `abi` and `config_bytes` tell it whether it knows these programs.
const volatile __u32 abi = ABI;
const volatile __u32 config_bytes = sizeof(struct config);
// Makes it hard to guess which senders share a cell.
const volatile __u64 seed = 0;
// Steps between two samples on one CPU.
const volatile __u64 sample_interval = 0;
const volatile __s64 sample_burst = 0;
// For tests: the time comes from `clock`, and the program returns what `report` makes of the verdict.
const volatile __u8 testing = 0;

// Which of the two configurations counts.
__u32 active = 0;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, struct config);
} configs SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, PEERS);
    __type(key, __u32);
    __type(value, struct peer);
} peers4 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, PEERS);
    __type(key, struct address6);
    __type(value, struct peer);
} peers6 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct state);
} states SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct sketch);
} sketches SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SAMPLE_BYTES);
} samples SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} clock SEC(".maps");

// A frame, and what was found out about it.
struct packet {
    context *ctx;
    void *data;
    void *end;
    void *next;      // the header that comes next
    __u32 rest;      // bytes from there to the end of the IP packet
    __u32 length;    // of the frame, as far as it was looked at
    __u8 version;    // of IP
    __u8 more;       // this is the first of several pieces of a datagram
    __u8 protocol;
    __u8 class;
    __u8 tier;
    __u16 source_port;
    __u16 port;
    __u64 network;   // of the sender: the IPv4 address, or the first half of the IPv6 address
    __u64 host;      // the other half
};

inline_always __u64 now(void)
{
    if (!testing) return bpf_jiffies64() << STEP_BITS;
    __u32 first = 0;
    __u64 *time = bpf_map_lookup_elem(&clock, &first);
    return time ? *time : 0;
}

// A packet is due at `due`; one that comes more than `burst` before does not pass. With `interval` after the later of
// both the next one is due.
inline_always __u64 arrival(__u64 due, __u64 time)
{
    return due > time ? due : time;
}

inline_always int early(__u64 due, __u64 time, const struct limit *limit)
{
    return (__s64)(arrival(due, time) - time) > limit->burst;
}

// Peers.

inline_always __u32 peer_bit(__u64 network, __u64 host)
{
    return (network ^ host << 1) * 0x9e3779b97f4a7c15 >> 48;
}

inline_always struct peer *find_peer(const struct config *config, struct packet *packet)
{
    __u32 bit = peer_bit(packet->network, packet->host);
    if (!(config->peer_bits[bit / 64] >> bit % 64 & 1)) return 0;
    // Copies, as what the helpers get a pointer to can't be kept in registers.
    __u32 address4 = packet->network;
    struct address6 address6 = { packet->network, packet->host };
    return packet->version == 4 ? bpf_map_lookup_elem(&peers4, &address4) : bpf_map_lookup_elem(&peers6, &address6);
}

inline_always enum reason judge_peer(struct packet *packet, struct peer *peer, const struct tier *tier,
                                     struct state *state, __u64 time)
{
    __u64 *all = &state->due[packet->class % CLASSES][packet->tier % TIERS];
    __u64 *each = &peer->due[packet->class % CLASSES];
    if (early(*all, time, &tier->all)) return CEILING;
    if (early(*each, time, &tier->each)) return PEER_LIMIT;
    *each = arrival(*each, time) + tier->each.interval;
    *all = arrival(*all, time) + tier->all.interval;
    return PEER;
}

// Anybody else.

inline_always __u64 cells(__u64 network, __u8 class)
{
    __u64 hash = (network ^ seed) * 0xbf58476d1ce4e5b9 + class * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32;
    return hash * 0x94d049bb133111eb;
}

inline_always enum reason judge_unknown(struct packet *packet, const struct tier *tier, struct state *state,
                                        __u64 time)
{
    __u64 *all = &state->due[packet->class % CLASSES][0];
    if (early(*all, time, &tier->all)) return CEILING;
    __u32 first = 0;
    struct sketch *sketch = bpf_map_lookup_elem(&sketches, &first);
    if (!sketch) return UNKNOWN;
    __u64 hash = cells(packet->network, packet->class);
    __u64 *one = &sketch->due[0][hash >> 48];
    __u64 *other = &sketch->due[1][hash >> 32 & (CELLS - 1)];
    __u64 due = *one < *other ? *one : *other;
    if (early(due, time, &tier->each)) return SOURCE_LIMIT;
    due = arrival(due, time) + tier->each.interval;
    if (*one < due) *one = due;
    if (*other < due) *other = due;
    *all = arrival(*all, time) + tier->all.interval;
    return UNKNOWN;
}

inline_always enum reason judge(const struct config *config, struct packet *packet, struct state *state)
{
    const struct policy *policy = &config->policies[packet->class % CLASSES];
    struct peer *peer = find_peer(config, packet);
    __u64 time = now();
    if (!peer) return judge_unknown(packet, &policy->tiers[0], state, time);
    packet->tier = peer->tier % TIERS;
    return judge_peer(packet, peer, &policy->tiers[packet->tier % TIERS], state, time);
}

// Transport.

inline_always enum reason shape(const struct config *config, struct packet *packet, __u32 payload)
{
    const struct policy *policy = &config->policies[packet->class % CLASSES];
    if (bpf_ntohs(packet->source_port) < policy->source_port_min) return SOURCE_PORT;
    if (payload < policy->payload_min || payload > policy->payload_max) return LENGTH;
    if (!payload) return UNDECIDED;
    __u8 *at = packet->next + sizeof(struct udphdr), byte = 0;
    if ((void *)(at + 1) <= packet->end) {
        byte = *at;
    } else if (load_byte(packet->ctx, (void *)at - packet->data, &byte)) {
        return MALFORMED;
    }
    __u8 masked = byte & policy->byte_mask;
    if (masked < policy->byte_min || masked > policy->byte_max) return CONTENT;
    if (policy->part_class && (byte & policy->part_mask) == policy->part_value) packet->class = policy->part_class;
    return UNDECIDED;
}

inline_always enum reason udp(const struct config *config, struct packet *packet)
{
    struct udphdr *header = packet->next;
    if ((void *)(header + 1) > packet->end || packet->rest < sizeof *header) return MALFORMED;
    __u32 length = bpf_ntohs(header->len);
    if (length < sizeof *header || (length > packet->rest && !packet->more)) return MALFORMED;
    packet->source_port = header->source;
    packet->port = header->dest;
    packet->class = config->udp_class[packet->port];
    if (!packet->class) return UNCLASSED;
    return packet->more ? FRAGMENT : shape(config, packet, length - sizeof *header);
}

inline_always enum reason tcp(const struct config *config, struct packet *packet)
{
    struct tcphdr *header = packet->next;
    if ((void *)(header + 1) > packet->end || packet->rest < sizeof *header) return MALFORMED;
    if (!header->syn || header->ack) return UNCLASSED;
    packet->source_port = header->source;
    packet->port = header->dest;
    packet->class = config->tcp_class[packet->port];
    return packet->class ? UNDECIDED : UNCLASSED;
}

inline_always enum reason transport(const struct config *config, struct packet *packet)
{
    if (packet->protocol == IPPROTO_UDP) return udp(config, packet);
    if (packet->protocol == IPPROTO_TCP) return tcp(config, packet);
    return UNCLASSED;
}

// A piece that is not the first of its datagram.
inline_always enum reason piece(const struct config *config, const struct packet *packet)
{
    return packet->protocol == IPPROTO_UDP && config->drop_fragments ? FRAGMENT : PIECE;
}

// Network.

// Whether `length` bytes from the next header on are in the frame.
inline_always int holds(struct packet *packet, __u32 length)
{
    __u32 needed = packet->next - packet->data + length;
    if (needed > packet->length) packet->length = frame_length(packet->ctx);
    return needed <= packet->length;
}

inline_always int is_local4(const struct config *config, __u32 address)
{
#pragma unroll
    for (int i = 0; i < LOCALS; i++) {
        if (config->local4[i] == address) return address != 0;
    }
    return 0;
}

inline_always enum reason ipv4(const struct config *config, struct packet *packet)
{
    struct iphdr *header = packet->next;
    if ((void *)(header + 1) > packet->end) return MALFORMED;
    __u32 length = bpf_ntohs(header->tot_len), own = header->ihl * 4;
    if (header->version != 4 || own < sizeof *header || length < own || !holds(packet, length)) return MALFORMED;
    if (!is_local4(config, header->daddr)) return NOT_LOCAL;
    packet->version = 4;
    packet->network = header->saddr;
    packet->host = 0;
    __u8 first = header->saddr;
    if (first == 0 || first == 127 || first >= 224) return BOGON;
    packet->protocol = header->protocol;
    packet->rest = length - own;
    packet->next += own;
    __u16 fragment = bpf_ntohs(header->frag_off);
    packet->more = (fragment & 0x2000) != 0;
    return fragment & 0x1fff ? piece(config, packet) : UNDECIDED;
}

inline_always int is_local6(const struct config *config, const struct address6 *address)
{
    if (!address->network) return 0;
#pragma unroll
    for (int i = 0; i < LOCALS; i++) {
        const struct address6 *local = &config->local6[i];
        if (local->network == address->network && local->host == address->host) return 1;
    }
    return 0;
}

// The header of a fragment (RFC 8200, 4.5).
struct fragment6 {
    __u8 next;
    __u8 reserved;
    __be16 offset;    // in 8 bytes, above 2 reserved bits and whether more follow
    __be32 datagram;
};

// How many extension headers may stand before the transport header.
#define EXTENSIONS 4

// The first two bytes of an extension header.
struct extension {
    __u8 next;
    __u8 length;    // less the first 8 bytes, in 8 bytes; of AH less 8 bytes, in 4
};

// Passes over one extension header; UNCLASSED where there is none.
inline_always enum reason extension(const struct config *config, struct packet *packet)
{
    struct extension *header = packet->next;
    struct fragment6 *fragment = packet->next;
    __u32 length = sizeof *fragment;
    if (packet->protocol != IPPROTO_HOPOPTS && packet->protocol != IPPROTO_ROUTING &&
        packet->protocol != IPPROTO_DSTOPTS && packet->protocol != IPPROTO_AH &&
        packet->protocol != IPPROTO_FRAGMENT) return UNCLASSED;
    if ((void *)(fragment + 1) > packet->end) return MALFORMED;
    int is_fragment = packet->protocol == IPPROTO_FRAGMENT;
    if (packet->protocol == IPPROTO_AH) length = (header->length + 2) * 4;
    else if (!is_fragment) length = (header->length + 1) * 8;
    if (length > packet->rest) return MALFORMED;
    packet->protocol = header->next;
    packet->rest -= length;
    packet->next += length;
    if (!is_fragment) return UNDECIDED;
    packet->more |= (fragment->offset & bpf_htons(1)) != 0;
    return fragment->offset & bpf_htons(0xfff8) ? piece(config, packet) : UNDECIDED;
}

inline_always enum reason extensions(const struct config *config, struct packet *packet)
{
#pragma clang loop unroll(disable)
    for (int i = 0; i <= EXTENSIONS; i++) {
        enum reason reason = extension(config, packet);
        if (reason == UNCLASSED) return UNDECIDED;
        if (reason != UNDECIDED) return reason;
    }
    return MALFORMED;
}

inline_always enum reason ipv6(const struct config *config, struct packet *packet)
{
    struct ipv6hdr *header = packet->next;
    if ((void *)(header + 1) > packet->end) return MALFORMED;
    packet->rest = bpf_ntohs(header->payload_len);
    if (header->version != 6 || !holds(packet, packet->rest + sizeof *header)) return MALFORMED;
    if (!is_local6(config, (void *)&header->daddr)) return NOT_LOCAL;
    packet->version = 6;
    struct address6 *source = (void *)&header->saddr;
    packet->network = source->network;
    packet->host = source->host;
    if (!packet->network || (__u8)packet->network == 0xff) return BOGON;
    packet->protocol = header->nexthdr;
    packet->next = header + 1;
    return extensions(config, packet);
}

// Link.

struct tag {
    __be16 control;
    __be16 protocol;
};

inline_always enum reason ethernet(const struct config *config, struct packet *packet)
{
    struct ethhdr *header = packet->data;
    if ((void *)(header + 1) > packet->end) return OTHER;
    __be16 protocol = header->h_proto;
    packet->next = header + 1;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        struct tag *tag = packet->next;
        if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD)) break;
        if ((void *)(tag + 1) > packet->end) return OTHER;
        protocol = tag->protocol;
        packet->next = tag + 1;
    }
    if (protocol == bpf_htons(ETH_P_IP)) return ipv4(config, packet);
    if (protocol == bpf_htons(ETH_P_IPV6)) return ipv6(config, packet);
    return OTHER;
}

// What became of it.

inline_always void tell(const struct packet *packet, struct state *state, enum reason reason, int enforced)
{
    __u64 time = now();
    if ((__s64)(arrival(state->sample_due, time) - time) > sample_burst) return;
    state->sample_due = arrival(state->sample_due, time) + sample_interval;
    struct sample *sample = bpf_ringbuf_reserve(&samples, sizeof *sample, 0);
    if (!sample) return;
    __builtin_memset(sample, 0, sizeof *sample);
    sample->nanoseconds = bpf_ktime_get_ns();
    sample->source = (struct address6){ packet->network, packet->host };
    sample->source_port = packet->source_port;
    sample->port = packet->port;
    sample->length = packet->length;
    sample->version = packet->version;
    sample->protocol = packet->protocol;
    sample->class = packet->class;
    sample->tier = packet->tier;
    sample->reason = reason;
    sample->enforced = enforced;
    bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
}

// For tests: all that a verdict is.
inline_always int report(const struct packet *packet, enum reason reason, int enforced)
{
    return reason | packet->class << 8 | packet->tier << 16 | enforced << 24;
}

// Not 0 where the packet is to be dropped; in tests the report.
inline_always int guard(context *ctx, void *data, void *end)
{
    struct packet packet = { .ctx = ctx, .data = data, .end = end, .length = end - data };
    __u32 first = 0, which = active & 1;
    struct config *config = bpf_map_lookup_elem(&configs, &which);
    struct state *state = bpf_map_lookup_elem(&states, &first);
    if (!config || !state) return 0;
    // The barriers keep the compiler from making a copy of what follows for every way there.
    enum reason reason = ethernet(config, &packet);
    barrier_var(reason);
    if (reason == UNDECIDED) reason = transport(config, &packet);
    barrier_var(reason);
    if (reason == UNDECIDED) reason = judge(config, &packet, state);
    barrier_var(reason);
    struct counter *counter = &state->counters[packet.class % CLASSES][reason % REASONS];
    counter->packets++;
    counter->bytes += packet.length;
    int enforced = 0;
    if (reason >= MALFORMED) {
        enforced = config->policies[packet.class % CLASSES].enforce;
        tell(&packet, state, reason, enforced);
    }
    return testing ? report(&packet, reason, enforced) : enforced;
}

#endif
