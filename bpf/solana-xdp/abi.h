// SPDX-License-Identifier: MIT OR GPL-2.0-only
// What the programs and their loader share: the values of the maps.
// All numbers are little-endian, but ports and addresses, which stay as they are on the wire. Times are in steps: a step
// is 2^-STEP_BITS of a jiffy, and `now` is the kernel's jiffies in steps. Whoever changes a layout changes ABI as well.
#ifndef SOLANA_XDP_ABI_H
#define SOLANA_XDP_ABI_H

#include <linux/types.h>

#define ABI 2
#define STEP_BITS 24

enum {
    CLASSES = 16,  // of traffic; 0 is what no rule is about
    TIERS = 4,  // of senders; 0 is anybody, and a peer's is higher
    REASONS = 16,  // why a packet passes or not
    LOCALS = 256,  // places for the node's addresses, of each family
    PORTS = 65536,
    PEERS = 32768,  // of both families, and one that stands for none
    SLOTS = 65536,
    CHAIN = 8,  // peers that may share a slot
    CELLS = 65536,  // of a row of the sketch
    SAMPLES_BYTES = 1 << 18,
    HEAD_BYTES = 128,  // of a frame, in a sample
};

// Why a packet passes or not. From MALFORMED on it does not.
enum reason {
    OTHER,  // no IP
    NOT_LOCAL,  // to an address that is not the node's
    UNCLASSED,  // to a port without a class, or of another protocol
    PIECE,  // a fragment that tells no port
    PEER,  // from a peer, within its limit
    UNKNOWN,  // from anybody else, within the limit
    MALFORMED,  // its headers contradict each other, or are cut, or too many
    BOGON,  // from an address that nobody can have
    FRAGMENT,  // in pieces, as no datagram of Solana is
    SOURCE_PORT,  // from a port that no node sends from
    LENGTH,  // too short or too long for its class
    CONTENT,  // its first byte is none of its class
    CEILING,  // more than the class takes from this tier on this CPU
    PEER_LIMIT,  // more than a peer of its tier may send
    SOURCE_LIMIT,  // more than anybody may send
    UNDECIDED,    // what comes next decides; no packet ends so
};

// A rate, as a generic cell rate algorithm has it (ITU-T I.371): packets may come `interval` apart, and `burst` early.
// An interval of 0 is no limit; a negative burst lets nothing pass.
struct limit {
    __u64 interval;  // steps
    __s64 burst;  // steps
};

// What senders of a tier may send of a class.
struct tier {
    struct limit each;  // a sender
    struct limit all;  // together, for each CPU
};

// What is right for a class.
struct policy {
    struct tier tiers[TIERS];
    __u16 source_port_min;
    __u16 payload_min;  // bytes after the UDP header
    __u16 payload_max;
    __u8 byte_mask;  // the payload's first byte, masked,
    __u8 byte_min;  // is at least this
    __u8 byte_max;  // and at most that
    __u8 part_mask;  // where the first byte, masked,
    __u8 part_value;  // is this,
    __u8 part_class;  // the packet is of that class; 0: there is none
    __u8 enforce;  // 0: what would be dropped is counted, and passes
    __u8 padding[3];
};

// An IPv6 address.
struct address6 {
    __u64 network;  // its first 8 bytes, as they come
    __u64 host;
};

// All that an administrator decides. There are two, and `active` says which one counts.
struct config {
    struct policy policies[CLASSES];
    // The node's addresses, each at its place, which is the upper 8 bits of its product with the factor, of an IPv6
    // address (network * local6_factor + host) * local6_factor. The loader finds factors that part them. What is not
    // used repeats the first, or is zero where there is none.
    struct address6 local6[LOCALS];
    __u32 local4[LOCALS];
    __u64 local6_factor;
    __u32 local4_factor;
    __u8 drop_fragments;  // pieces of UDP that tell no port
    __u8 padding[3];
    __u8 udp_class[PORTS];  // by port in network byte order, read as a number of this machine
    __u8 tcp_class[PORTS];  // likewise, of new connections
};

// A known sender. Peers whose addresses have the same `slot_of` form a chain.
struct peer {
    struct address6 address;  // an IPv4 address stands behind 4 bytes 0xff, where no sender's IPv6 address has them
    __u16 next;  // in the chain; 0: it is the last
    __u16 tier;
    __u32 padding;
};

// All known senders; the first entry is none.
struct peers {
    struct peer list[PEERS];
};

// The number of the first peer of each slot; 0: there is none.
struct slots {
    __u16 first[SLOTS];
};

// When a peer's next packet of a class is due, in steps.
struct dues {
    __u64 of[PEERS][CLASSES];
};

struct counter {
    __u64 packets;  // each that the kernel has put together counts
    __u64 bytes;  // of the frame, as far as it was looked at: without IP only what lies in reach
};

// What each CPU has for itself.
struct state {
    struct counter counters[CLASSES][REASONS];
    __u64 due[CLASSES][TIERS];  // when the next packet is due within the ceiling
    __u64 sampled;  // when the last sample was made
};

// Which packets of which senders were due when: two rows, and a sender's debt is the smaller of its two cells.
struct sketch {
    __u64 due[2][CELLS];
};

// A packet that was dropped, or would have been.
struct sample {
    __u64 nanoseconds;  // since the machine was started
    __u32 length;  // of the frame, likewise
    __u32 verdict;  // reason, class << 8, tier << 16
    __u32 enforced;
    __u32 padding;
    __u8 head[HEAD_BYTES];  // the frame's first bytes; zeros where it is shorter
};

#endif
