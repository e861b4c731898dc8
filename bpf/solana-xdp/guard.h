// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Which packets reach the sockets of a Solana node. Each hook includes this file after it has defined
//
//     context                                     what the kernel hands to its program
//     frame_length(context *)                     the bytes of the frame, also of those that are not in reach
//     PASS, DROP                                  what the program returns
//     load(context *, offset, void *, bytes)      copies bytes that may not be in reach; not 0 where there are none
//     segments(context *)                         how many packets the kernel has put together into this one; mostly 1
//     segment_bytes(context *)                    the payload of each of them, less in the last; 0: it is one as it came
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
// Whether there are samples of what is dropped: one a jiffy, on each CPU.
const volatile __u8 sampling = 0;
// For tests: the time comes from `clock`, and the program returns the verdict.
const volatile __u8 testing = 0;

// Memory that is reached without a lookup. The loader writes each section as a whole, but those of dues and cells never.
__u32 active = 0;           // which of the two configurations counts
struct config configs[2];
struct slots slots SEC(".bss.slots");
struct peers peers SEC(".bss.peers");
struct dues dues SEC(".bss.dues");
struct sketch sketch SEC(".bss.sketch");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct state);
} states SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SAMPLES_BYTES);
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
    __u32 at;        // where in the frame it is
    __u32 rest;      // bytes from there to the end of the IP packet
    __u32 length;    // of the frame, as far as it was looked at
    __u8 version;    // of IP
    __u8 more;       // this is the first of several pieces of a datagram
    __u8 protocol;
    __u8 class;
    __u64 network;   // of the sender: the IPv4 address as in `struct peer`, or the first half of the IPv6 address
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
// both the next one is due. Packets that the kernel has put together pass or not as the first of them, and pay for all.
inline_always __u64 arrival(__u64 due, __u64 time)
{
    return due > time ? due : time;
}

inline_always int early(__u64 due, __u64 time, const struct limit *limit)
{
    return (__s64)(arrival(due, time) - time) > limit->burst;
}

// Peers.

// An odd number whose bits look random: 2^64 divided by the golden ratio.
#define MIX 0x9e3779b97f4a7c15

inline_always __u32 slot_of(__u64 network, __u64 host)
{
    return (network ^ host << 1) * MIX >> 48;
}

// The number of the peer that sent the packet; 0: it is none.
inline_always __u32 find_peer(const struct packet *packet)
{
    __u32 number = slots.first[slot_of(packet->network, packet->host)];
    for (int i = 0; number && i < CHAIN; i++) {
        const struct peer *peer = &peers.list[number & (PEERS - 1)];
        if (peer->address.network == packet->network && peer->address.host == packet->host) return number;
        number = peer->next;
    }
    return 0;
}

inline_always enum reason judge_peer(__u64 *each, __u64 *all, const struct tier *tier, __u64 time, __u32 count)
{
    if (early(*all, time, &tier->all)) return CEILING;
    if (early(*each, time, &tier->each)) return PEER_LIMIT;
    *each = arrival(*each, time) + tier->each.interval * count;
    *all = arrival(*all, time) + tier->all.interval * count;
    return PEER;
}

// Anybody else.

inline_always __u64 cells(__u64 network, __u8 class)
{
    __u64 hash = (network ^ seed) * MIX + class;
    hash ^= hash >> 32;
    return hash * MIX;
}

inline_always enum reason judge_unknown(__u64 hash, __u64 *all, const struct tier *tier, __u64 time, __u32 count)
{
    if (early(*all, time, &tier->all)) return CEILING;
    __u64 *one = &sketch.due[0][hash >> 48];
    __u64 *other = &sketch.due[1][hash >> 32 & (CELLS - 1)];
    __u64 due = *one < *other ? *one : *other;
    if (early(due, time, &tier->each)) return SOURCE_LIMIT;
    due = arrival(due, time) + tier->each.interval * count;
    if (*one < due) *one = due;
    if (*other < due) *other = due;
    *all = arrival(*all, time) + tier->all.interval * count;
    return UNKNOWN;
}

inline_always __u32 judge(const struct config *config, struct packet *packet, struct state *state)
{
    __u32 class = packet->class & (CLASSES - 1);
    const struct policy *policy = &config->policies[class];
    __u32 peer = find_peer(packet) & (PEERS - 1), count = segments(packet->ctx);
    __u64 time = now();
    if (!peer) {
        __u64 hash = cells(packet->network, class);
        return class << 8 | judge_unknown(hash, &state->due[class][0], &policy->tiers[0], time, count);
    }
    __u32 tier = peers.list[peer].tier & (TIERS - 1);
    __u64 *each = &dues.of[peer][class], *all = &state->due[class][tier];
    enum reason reason = judge_peer(each, all, &policy->tiers[tier], time, count);
    return tier << 16 | class << 8 | reason;
}

// Transport.

// Whether nobody can have the sender's address.
inline_always int is_bogon(const struct packet *packet)
{
    if (packet->version == 6) return !packet->network || (__u8)packet->network == 0xff;
    __u32 first = packet->network >> 32;
    // Or the compiler compares all 64 bits.
    barrier_var(first);
    first &= 255;
    return first - 1 >= 223 || first == 127;
}

inline_always enum reason shape(const struct config *config, struct packet *packet, __u16 port, __u32 payload)
{
    const struct policy *policy = &config->policies[packet->class & (CLASSES - 1)];
    if (port < policy->source_port_min) return SOURCE_PORT;
    // All but the last have as much.
    __u32 each = segment_bytes(packet->ctx);
    if (each && payload > each) payload = each;
    if (payload < policy->payload_min || payload > policy->payload_max) return LENGTH;
    if (!payload) return UNDECIDED;
    __u8 *at = packet->next + sizeof(struct udphdr), byte = 0;
    if ((void *)(at + 1) <= packet->end) {
        byte = *at;
    } else if (load(packet->ctx, packet->at + sizeof(struct udphdr), &byte, 1)) {
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
    packet->class = config->udp_class[header->dest];
    if (!packet->class) return UNCLASSED;
    if (is_bogon(packet)) return BOGON;
    return packet->more ? FRAGMENT : shape(config, packet, bpf_ntohs(header->source), length - sizeof *header);
}

inline_always enum reason tcp(const struct config *config, struct packet *packet)
{
    struct tcphdr *header = packet->next;
    if ((void *)(header + 1) > packet->end || packet->rest < sizeof *header) return MALFORMED;
    if (!header->syn || header->ack) return UNCLASSED;
    packet->class = config->tcp_class[header->dest];
    if (!packet->class) return UNCLASSED;
    return is_bogon(packet) ? BOGON : UNDECIDED;
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

// Whether `length` bytes from the next header on are in the frame, in reach or not.
inline_always int holds(struct packet *packet, __u32 length)
{
    __u32 needed = packet->at + length;
    if (needed <= packet->length) return 1;
    packet->length = frame_length(packet->ctx);
    return needed <= packet->length;
}

// The kernel can't write the length of what it has put together where that has more than 16 bits, and writes 0.
inline_always int is_unwritten(struct packet *packet, __u32 length)
{
    if (length || !segment_bytes(packet->ctx)) return 0;
    packet->length = frame_length(packet->ctx);
    return 1;
}

// The first place mostly has the only address of the node, and is looked at first.
inline_always int is_local4(const struct config *config, __u32 address)
{
    return config->local4[0] == address || config->local4[address * config->local4_factor >> 24] == address;
}

inline_always enum reason ipv4(const struct config *config, struct packet *packet)
{
    struct iphdr *header = packet->next;
    if ((void *)(header + 1) > packet->end) return MALFORMED;
    // Version 4, and a length of 5 words at least.
    __u8 start = *(__u8 *)header;
    if ((__u8)(start - 0x45) > 0x4f - 0x45) return MALFORMED;
    __u32 length = bpf_ntohs(header->tot_len), own = (start & 15) * 4;
    if (is_unwritten(packet, length)) length = packet->length - packet->at;
    if (length < own || !holds(packet, length)) return MALFORMED;
    if (!is_local4(config, header->daddr)) return NOT_LOCAL;
    packet->version = 4;
    packet->network = (__u64)header->saddr << 32 | 0xffffffff;
    packet->host = 0;
    packet->protocol = header->protocol;
    packet->rest = length - own;
    packet->next += own;
    packet->at += own;
    if (header->frag_off & bpf_htons(0x1fff)) return piece(config, packet);
    packet->more = (header->frag_off & bpf_htons(0x2000)) != 0;
    return UNDECIDED;
}

inline_always int is_address6(const struct address6 *one, const struct address6 *other)
{
    return one->network == other->network && one->host == other->host;
}

inline_always int is_local6(const struct config *config, const struct address6 *address)
{
    if (is_address6(&config->local6[0], address)) return 1;
    __u64 factor = config->local6_factor;
    const struct address6 *local = &config->local6[(address->network * factor + address->host) * factor >> 56];
    return is_address6(local, address);
}

// The header of a fragment (RFC 8200, 4.5).
struct fragment6 {
    __u8 next;
    __u8 reserved;
    __be16 offset;    // in 8 bytes, above 2 reserved bits and whether more follow
    __be32 datagram;
};

// The first two bytes of other extension headers.
struct extension {
    __u8 next;
    __u8 length;    // less the first 8 bytes, in 8 bytes; of AH less 8 bytes, in 4
};

// How many extension headers may stand before the transport header.
#define EXTENSIONS 4

inline_always int is_extension(__u32 protocol)
{
    return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||
           protocol == IPPROTO_AH || protocol == IPPROTO_FRAGMENT;
}

#define MORE (1 << 8)
#define LATER (1 << 9)
#define AT_BITS 16

// Passes over the extension headers at `at` of a packet of which `rest` bytes are left, the first of them `protocol`:
// the protocol after them, MORE where it is the first of several pieces, LATER where it is a later one, and above
// AT_BITS where the next header is. 0 where they are not whole, or too many.
//
// The verifier looks at this function once, and not once for each way to it. It knows nothing of the result, so what
// the compiler knows of it is taken away by a barrier: its masks have to stay.
__noinline int pass_extensions(context *ctx, __u32 at, __u32 rest, __u32 protocol)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    __u32 pieces = 0, passed = 0;
    at &= 0x3f;
    for (int i = 0; i <= EXTENSIONS; i++) {
        if (!is_extension(protocol)) return (at + passed) << AT_BITS | pieces | protocol;
        if (i == EXTENSIONS) break;
        struct fragment6 *fragment = data + at + passed;
        struct extension *extension = (void *)fragment;
        if ((void *)(fragment + 1) > end) return 0;
        __u32 length = sizeof *fragment;
        if (protocol == IPPROTO_FRAGMENT) {
            pieces |= fragment->offset & bpf_htons(0xfff8) ? LATER : fragment->offset & bpf_htons(1) ? MORE : 0;
        } else {
            length = protocol == IPPROTO_AH ? (extension->length + 2) * 4 : (extension->length + 1) * 8;
        }
        protocol = extension->next;
        passed += length;
        if (passed > rest || passed > EXTENSIONS * 2048) return 0;
        if (pieces & LATER) return (at + passed) << AT_BITS | pieces | protocol;
    }
    return 0;
}

inline_always enum reason ipv6(const struct config *config, struct packet *packet)
{
    struct ipv6hdr *header = packet->next;
    if ((void *)(header + 1) > packet->end) return MALFORMED;
    packet->rest = bpf_ntohs(header->payload_len);
    if (is_unwritten(packet, packet->rest)) packet->rest = packet->length - packet->at - sizeof *header;
    if (header->version != 6 || !holds(packet, packet->rest + sizeof *header)) return MALFORMED;
    if (!is_local6(config, (void *)&header->daddr)) return NOT_LOCAL;
    packet->version = 6;
    struct address6 *source = (void *)&header->saddr;
    packet->network = source->network;
    packet->host = source->host;
    packet->protocol = header->nexthdr;
    packet->next = header + 1;
    packet->at += sizeof *header;
    if (!is_extension(packet->protocol)) return UNDECIDED;
    __u32 passed = pass_extensions(packet->ctx, packet->at, packet->rest, packet->protocol);
    barrier_var(passed);
    if (!passed) return MALFORMED;
    packet->protocol = passed;
    packet->more = (passed & MORE) != 0;
    packet->rest -= (passed >> AT_BITS) - packet->at;
    packet->at = passed >> AT_BITS & 0x3fff;
    packet->next = packet->data + packet->at;
    return passed & LATER ? piece(config, packet) : UNDECIDED;
}

// Link.

struct tag {
    __be16 control;
    __be16 protocol;
};

inline_always int is_tag(__be16 protocol)
{
    return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

// Passes over at most two tags: the protocol after them as it is on the wire, and above AT_BITS where its header is.
// 0 where the frame ends before. The verifier looks at it once, as above.
__noinline int pass_tags(context *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    struct tag *tags = data + sizeof(struct ethhdr);
    if ((void *)(tags + 1) > end) return 0;
    if (!is_tag(tags[0].protocol)) return (sizeof(struct ethhdr) + sizeof *tags) << AT_BITS | tags[0].protocol;
    if ((void *)(tags + 2) > end) return 0;
    return (sizeof(struct ethhdr) + 2 * sizeof *tags) << AT_BITS | tags[1].protocol;
}

inline_always enum reason ethernet(const struct config *config, struct packet *packet)
{
    struct ethhdr *header = packet->data;
    if ((void *)(header + 1) > packet->end) return OTHER;
    // Two bytes at once; the structure is packed, and would be read byte by byte.
    __be16 protocol = *(__be16 *)(packet->data + offsetof(struct ethhdr, h_proto));
    packet->next = header + 1;
    packet->at = sizeof *header;
    if (is_tag(protocol)) {
        __u32 passed = pass_tags(packet->ctx);
        barrier_var(passed);
        protocol = passed;
        packet->at = passed >> AT_BITS & 0x1f;
        packet->next = packet->data + packet->at;
    }
    if (protocol == bpf_htons(ETH_P_IP)) return ipv4(config, packet);
    if (protocol == bpf_htons(ETH_P_IPV6)) return ipv6(config, packet);
    return OTHER;
}

// What becomes of it: the reason, class << 8, tier << 16.
inline_always __u32 decide(const struct config *config, struct packet *packet, struct state *state)
{
    enum reason reason = ethernet(config, packet);
    if (reason != UNDECIDED) return reason;
    reason = transport(config, packet);
    if (reason != UNDECIDED) return reason | packet->class << 8;
    return judge(config, packet, state);
}

// Makes a sample.
static __noinline int tell(context *ctx, __u32 length, __u32 verdict, int enforced)
{
    struct sample *sample = bpf_ringbuf_reserve(&samples, sizeof *sample, 0);
    if (!sample) return 0;
    sample->nanoseconds = bpf_ktime_get_ns();
    sample->length = length;
    sample->verdict = verdict;
    sample->enforced = enforced;
    sample->padding = 0;
    __builtin_memset(sample->head, 0, sizeof sample->head);
    __u64 cut = length;
    barrier_var(cut);
    cut &= HEAD_BYTES - 1;
    if (length >= HEAD_BYTES) load(ctx, 0, sample->head, HEAD_BYTES);
    else if (cut) load(ctx, 0, sample->head, cut);
    bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
    return 0;
}

// Whether this CPU may make a sample now.
inline_always int may_tell(struct state *state)
{
    __u64 time = now();
    if (!sampling || state->sampled == time) return 0;
    state->sampled = time;
    return 1;
}

// PASS or DROP; in tests the verdict, and 1 << 24 where the packet is to be dropped.
inline_always int guard(context *ctx, void *data, void *end)
{
    struct packet packet = { .ctx = ctx, .data = data, .end = end, .length = end - data };
    __u32 first = 0;
    const struct config *config = &configs[active & 1];
    struct state *state = bpf_map_lookup_elem(&states, &first);
    if (!state) return PASS;
    __u32 verdict = decide(config, &packet, state);
    __u32 class = verdict >> 8 & (CLASSES - 1), reason = verdict & (REASONS - 1);
    struct counter *counter = &state->counters[class][reason];
    counter->packets += segments(ctx);
    counter->bytes += packet.length;
    int enforced = 0;
    if (reason >= MALFORMED) {
        enforced = config->policies[class].enforce;
        if (may_tell(state)) tell(ctx, packet.length, verdict, enforced);
    }
    return testing ? (int)(verdict | enforced << 24) : enforced ? DROP : PASS;
}

#endif
