//! The mistakes: each is one that a person could make, and that compiles.

use crate::hook::Kind;

/// A text of a source, and what stands there instead.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    pub name: &'static str,
    /// Whose program shows it.
    pub kind: Kind,
    pub file: &'static str,
    pub text: &'static str,
    pub replacement: &'static str,
}

const fn guard(name: &'static str, text: &'static str, replacement: &'static str) -> Mutant {
    Mutant { name, kind: Kind::Xdp, file: "guard.h", text, replacement }
}

/// One of what only tcx does: of packets that the kernel has put together.
const fn joined(name: &'static str, text: &'static str, replacement: &'static str) -> Mutant {
    Mutant { kind: Kind::Tcx, ..guard(name, text, replacement) }
}

const fn of_file(file: &'static str, kind: Kind, mutant: Mutant) -> Mutant {
    Mutant { kind, file, ..mutant }
}

/// All mistakes, in the order of the guard.
pub const MUTANTS: &[Mutant] = &[
    guard(
        "a burst is exclusive",
        "(__s64)(arrival(due, time) - time) > limit->burst",
        "(__s64)(arrival(due, time) - time) >= limit->burst",
    ),
    guard("a debt that is paid still counts", "return due > time ? due : time;", "return due;"),
    guard("the host has no part in a slot", "(network ^ host << 1) *", "network *"),
    guard("a slot depends on the highest bit of a host", "(network ^ host << 1) *", "(network ^ host) *"),
    guard("only the first of a slot is found", "number && i < CHAIN; i++", "number && i < 1; i++"),
    guard("the last of a slot is not found", "number && i < CHAIN; i++", "number && i < CHAIN - 1; i++"),
    guard("the walk goes by numbers", "        number = peer->next;\n", "        number++;\n"),
    guard("half of the peers", "&peers.list[number & (PEERS - 1)]", "&peers.list[number & (PEERS / 2 - 1)]"),
    guard(
        "any host of a peer's network",
        "if (peer->address.network == packet->network && peer->address.host == packet->host) return number;",
        "if (peer->address.network == packet->network) return number;",
    ),
    guard(
        "any network with a peer's host",
        "if (peer->address.network == packet->network && peer->address.host == packet->host) return number;",
        "if (peer->address.host == packet->host) return number;",
    ),
    guard(
        "whoever is in a slot is a peer",
        "if (peer->address.network == packet->network && peer->address.host == packet->host) return number;",
        "return number;",
    ),
    guard(
        "the next in the slot is the peer",
        "if (peer->address.network == packet->network && peer->address.host == packet->host) return number;",
        "if (peer->address.network == packet->network && peer->address.host == packet->host) return peer->next ?: number;",
    ),
    guard(
        "a peer's own limit before the ceiling",
        "    if (early(*all, time, &tier->all)) return CEILING;\n    if (early(*each, time, &tier->each)) return PEER_LIMIT;",
        "    if (early(*each, time, &tier->each)) return PEER_LIMIT;\n    if (early(*all, time, &tier->all)) return CEILING;",
    ),
    guard(
        "a peer pays from what was due",
        "*each = arrival(*each, time) + tier->each.interval * count;",
        "*each += tier->each.interval * count;",
    ),
    guard(
        "a peer pays the interval of all",
        "*each = arrival(*each, time) + tier->each.interval * count;",
        "*each = arrival(*each, time) + tier->all.interval * count;",
    ),
    guard(
        "who is over its own limit pays the ceiling",
        "    if (early(*each, time, &tier->each)) return PEER_LIMIT;",
        "    if (early(*each, time, &tier->each)) {\n        *all = arrival(*all, time) + tier->all.interval;\n        return PEER_LIMIT;\n    }",
    ),
    guard("cells do not depend on the class", "(network ^ seed) * MIX + class", "(network ^ seed) * MIX"),
    guard("cells do not depend on the seed", "(network ^ seed) *", "network *"),
    guard("both rows use the same cell", "hash >> 32 & (CELLS - 1)", "hash >> 48"),
    guard("the second row is the first", "&sketch.due[1][hash >> 32", "&sketch.due[0][hash >> 32"),
    guard("half of the cells of a row", "hash >> 32 & (CELLS - 1)", "hash >> 32 & (CELLS / 2 - 1)"),
    guard("the larger cell is the debt", "*one < *other ? *one : *other", "*one > *other ? *one : *other"),
    guard("the second row is not written", "    if (*other < due) *other = due;\n", ""),
    guard("a smaller debt replaces a larger", "    if (*one < due) *one = due;\n", "    *one = due;\n"),
    guard(
        "who is over the limit of all strangers pays the ceiling",
        "    if (early(due, time, &tier->each)) return SOURCE_LIMIT;",
        "    if (early(due, time, &tier->each)) {\n        *all = arrival(*all, time) + tier->all.interval;\n        return SOURCE_LIMIT;\n    }",
    ),
    guard(
        "cells of the sender's host",
        "cells(packet->network, class);",
        "cells(packet->network ^ packet->host, class);",
    ),
    guard("unknown senders have the ceiling of tier 1", "&state->due[class][0]", "&state->due[class][1]"),
    guard(
        "unknown senders have the limits of tier 1",
        "&policy->tiers[0], time, count)",
        "&policy->tiers[1], time, count)",
    ),
    guard(
        "the tier of the peer before",
        "peers.list[peer].tier & (TIERS - 1)",
        "peers.list[peer - 1].tier & (TIERS - 1)",
    ),
    guard(
        "the tier of the next in the slot",
        "peers.list[peer].tier & (TIERS - 1)",
        "peers.list[peers.list[peer].next & (PEERS - 1)].tier & (TIERS - 1)",
    ),
    guard("two tiers of peers", "peers.list[peer].tier & (TIERS - 1)", "peers.list[peer].tier & 1"),
    guard("peers owe for all classes at once", "&dues.of[peer][class]", "&dues.of[peer][0]"),
    guard("a peer's due of the class before", "&dues.of[peer][class]", "&dues.of[peer][class - 1 & (CLASSES - 1)]"),
    guard("peers share their dues", "&dues.of[peer][class]", "&dues.of[peer & 255][class]"),
    guard("peers have the ceiling of tier 0", "&state->due[class][tier]", "&state->due[class][0]"),
    guard("peers have the limits of tier 0", "&policy->tiers[tier], time, count)", "&policy->tiers[0], time, count)"),
    guard("a verdict has no tier", "return tier << 16 | class << 8 | reason;", "return class << 8 | reason;"),
    guard(
        "the first networks of IPv6 may send",
        "return !packet->network || (__u8)packet->network == 0xff;",
        "return (__u8)packet->network == 0xff;",
    ),
    guard(
        "multicast of IPv6 may send",
        "return !packet->network || (__u8)packet->network == 0xff;",
        "return !packet->network;",
    ),
    guard("224.0.0.0/8 may send", "first - 1 >= 223", "first - 1 > 223"),
    guard("0.0.0.0/8 may send", "first - 1 >= 223", "first >= 224"),
    guard("127.0.0.0/8 may send", " || first == 127;", ";"),
    guard("the first source port is not allowed", "port < policy->source_port_min", "port <= policy->source_port_min"),
    guard("source ports in the wrong order of bytes", "bpf_ntohs(header->source), length", "header->source, length"),
    guard("the shortest payload is not allowed", "payload < policy->payload_min", "payload <= policy->payload_min"),
    guard("the longest payload is not allowed", "payload > policy->payload_max", "payload >= policy->payload_max"),
    guard("a payload has the bytes of its header", "length - sizeof *header);", "length);"),
    guard("the first byte is not masked", "byte & policy->byte_mask", "byte"),
    guard("the least byte is not allowed", "masked < policy->byte_min", "masked <= policy->byte_min"),
    guard("the greatest byte is not allowed", "masked > policy->byte_max", "masked >= policy->byte_max"),
    guard(
        "a part is found in the masked byte",
        "(byte & policy->part_mask) == policy->part_value",
        "(masked & policy->part_mask) == policy->part_value",
    ),
    guard(
        "a part is found without its mask",
        "(byte & policy->part_mask) == policy->part_value",
        "byte == policy->part_value",
    ),
    guard(
        "the byte after the first is loaded",
        "packet->at + sizeof(struct udphdr), &byte",
        "packet->at + sizeof(struct udphdr) + 1, &byte",
    ),
    guard(
        "half a UDP header is enough",
        "(void *)(header + 1) > packet->end || packet->rest < sizeof *header) return MALFORMED;\n    __u32 length",
        "(void *)(header + 1) > packet->end || packet->rest < 4) return MALFORMED;\n    __u32 length",
    ),
    guard("UDP without a payload is malformed", "if (length < sizeof *header", "if (length <= sizeof *header"),
    guard(
        "UDP may be longer than its packet by one",
        "length > packet->rest && !packet->more",
        "length > packet->rest + 1 && !packet->more",
    ),
    guard(
        "a first piece has to hold its datagram",
        "(length > packet->rest && !packet->more)",
        "length > packet->rest",
    ),
    guard(
        "bogons are looked for before the class",
        "    packet->class = config->udp_class[header->dest];\n    if (!packet->class) return UNCLASSED;\n    if (is_bogon(packet)) return BOGON;\n",
        "    if (is_bogon(packet)) return BOGON;\n    packet->class = config->udp_class[header->dest];\n    if (!packet->class) return UNCLASSED;\n",
    ),
    guard("UDP from nobody passes", "    if (is_bogon(packet)) return BOGON;\n", ""),
    guard("TCP from nobody passes", "return is_bogon(packet) ? BOGON : UNDECIDED;", "return UNDECIDED;"),
    guard(
        "a first piece is judged as a whole",
        "return packet->more ? FRAGMENT : shape(",
        "return packet->more > 1 ? FRAGMENT : shape(",
    ),
    guard("what answers a SYN opens a connection", "!header->syn || header->ack", "!header->syn"),
    guard("classes of TCP from the table of UDP", "config->tcp_class[header->dest]", "config->udp_class[header->dest]"),
    guard("classes by the source port", "config->udp_class[header->dest]", "config->udp_class[header->source]"),
    guard(
        "later pieces of UDP always pass",
        "packet->protocol == IPPROTO_UDP && config->drop_fragments ? FRAGMENT",
        "packet->protocol == IPPROTO_UDP && config->drop_fragments > 1 ? FRAGMENT",
    ),
    guard(
        "a packet may end one byte behind the frame",
        "    packet->length = frame_length(packet->ctx);\n    return needed <= packet->length;",
        "    packet->length = frame_length(packet->ctx);\n    return needed <= packet->length + 1;",
    ),
    guard("half of the places of the node's addresses", "local4_factor >> 24]", "local4_factor >> 25]"),
    guard("only the first place is looked at", "config->local4[address * config->local4_factor >> 24] == address", "0"),
    guard("who has a place is the node", "local4_factor >> 24] == address;", "local4_factor >> 24];"),
    guard(
        "a place without the host",
        "(address->network * factor + address->host) * factor >> 56",
        "address->network * factor * factor >> 56",
    ),
    guard(
        "a place without the network",
        "(address->network * factor + address->host) * factor >> 56",
        "address->host * factor >> 56",
    ),
    guard(
        "any network of the host is local",
        "one->network == other->network && one->host == other->host",
        "one->host == other->host",
    ),
    guard(
        "IPv4 addresses are first halves of IPv6 addresses",
        "packet->network = (__u64)header->saddr << 32 | 0xffffffff;",
        "packet->network = header->saddr;",
    ),
    guard("a header of four words", "(__u8)(start - 0x45) > 0x4f - 0x45", "(__u8)(start - 0x44) > 0x4f - 0x44"),
    guard(
        "a header of fifteen words is malformed",
        "(__u8)(start - 0x45) > 0x4f - 0x45",
        "(__u8)(start - 0x45) >= 0x4f - 0x45",
    ),
    guard("versions after 4 are 4", "(__u8)(start - 0x45) > 0x4f - 0x45", "start < 0x45 || (start & 15) < 5"),
    guard("an empty IPv4 packet is malformed", "length < own ||", "length <= own ||"),
    guard("options are transport", "packet->next += own;", "packet->next += sizeof *header;"),
    guard(
        "options are no part of where the payload is",
        "    packet->at += own;\n",
        "    packet->at += sizeof *header;\n",
    ),
    guard("options stay in the rest", "packet->rest = length - own;", "packet->rest = length - sizeof *header;"),
    guard("don't fragment as more fragments", "bpf_htons(0x2000)", "bpf_htons(0x4000)"),
    guard("the highest bit of an offset is lost", "bpf_htons(0x1fff)", "bpf_htons(0x0fff)"),
    guard(
        "any host of the network is local",
        "one->network == other->network && one->host == other->host",
        "one->network == other->network",
    ),
    guard("AH in units of 8 bytes", "(extension->length + 2) * 4", "(extension->length + 2) * 8"),
    guard(
        "an extension is 8 bytes shorter",
        "length = protocol == IPPROTO_AH ? (extension->length + 2) * 4 : (extension->length + 1) * 8;",
        "length = protocol == IPPROTO_AH ? (extension->length + 2) * 4 : (extension->length ?: 1) * 8;",
    ),
    guard(
        "lengths of extensions have 7 bits",
        "length = protocol == IPPROTO_AH ? (extension->length + 2) * 4 : (extension->length + 1) * 8;",
        "length = protocol == IPPROTO_AH ? (extension->length + 2) * 4 : ((extension->length & 127) + 1) * 8;",
    ),
    guard(
        "fragment headers have a length",
        "        if (protocol == IPPROTO_FRAGMENT) {\n",
        "        if (protocol == IPPROTO_FRAGMENT) {\n            length = (extension->length + 1) * 8;\n",
    ),
    guard(
        "destination options are transport",
        "protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||",
        "protocol == IPPROTO_ROUTING ||",
    ),
    guard("an extension may not end the packet", "if (passed > rest ||", "if (passed >= rest ||"),
    guard("an extension may end behind the packet", "if (passed > rest ||", "if (passed > rest + 8 ||"),
    guard("extensions have at most 2048 bytes together", "passed > EXTENSIONS * 2048", "passed > 2048"),
    guard(
        "the next header is 11 bits away",
        "packet->at = passed >> AT_BITS & 0x3fff;",
        "packet->at = passed >> AT_BITS & 0x7ff;",
    ),
    guard(
        "the payload is where the extensions are",
        "    packet->at = passed >> AT_BITS & 0x3fff;\n    packet->next = packet->data + packet->at;\n",
        "    packet->next = packet->data + (passed >> AT_BITS & 0x3fff);\n",
    ),
    guard("the bytes of extensions stay in the rest", "    packet->rest -= (passed >> AT_BITS) - packet->at;\n", ""),
    guard(
        "extensions are counted from the frame's begin",
        "packet->rest -= (passed >> AT_BITS) - packet->at;",
        "packet->rest -= passed >> AT_BITS;",
    ),
    guard("extensions begin before the second tag", "at &= 0x3f;", "at &= 0x3b;"),
    guard("more fragments of IPv6 are lost", "bpf_htons(1) ? MORE : 0", "bpf_htons(1) ? 0 : 0"),
    guard("the last fragment header decides", "pieces |= fragment->offset", "pieces = fragment->offset"),
    guard("offset 1 of IPv6 is lost", "bpf_htons(0xfff8)", "bpf_htons(0xfff0)"),
    guard(
        "later pieces are first ones",
        "if (pieces & LATER) return (at + passed)",
        "if (pieces & LATER) return (at + passed) << AT_BITS | MORE | protocol;\n        if (pieces & LATER) return (at + passed)",
    ),
    guard(
        "what is behind a later piece's header is read",
        "        if (pieces & LATER) return (at + passed) << AT_BITS | pieces | protocol;\n",
        "",
    ),
    guard(
        "a later piece has the protocol of its header",
        "        protocol = extension->next;\n",
        "        if (!(pieces & LATER)) protocol = extension->next;\n",
    ),
    guard("three extensions", "#define EXTENSIONS 4", "#define EXTENSIONS 3"),
    guard("five extensions", "#define EXTENSIONS 4", "#define EXTENSIONS 5"),
    guard("IPv6 ends its own header early", "packet->rest + sizeof *header)", "packet->rest)"),
    guard("the source's network alone is kept", "    packet->host = source->host;\n", "    packet->host = 0;\n"),
    guard("the version of IPv6 is not looked at", "header->version != 6 || ", ""),
    guard("one tag", "if (!is_tag(tags[0].protocol)) return", "return"),
    guard(
        "a second tag is where the first is",
        "sizeof(struct ethhdr) + 2 * sizeof *tags",
        "sizeof(struct ethhdr) + sizeof *tags",
    ),
    guard(
        "the mask of a header's place has four bits",
        "packet->at = passed >> AT_BITS & 0x1f;",
        "packet->at = passed >> AT_BITS & 0xf;",
    ),
    guard(
        "service tags are no tags",
        "protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD)",
        "protocol == bpf_htons(ETH_P_8021Q)",
    ),
    guard("what is not classed keeps no class", "return reason | packet->class << 8;", "return reason;"),
    guard(
        "a sample has 127 bytes",
        "load(ctx, 0, sample->head, HEAD_BYTES);",
        "load(ctx, 0, sample->head, HEAD_BYTES - 1);",
    ),
    guard("short frames have no sample of their bytes", "    else if (cut) load(ctx, 0, sample->head, cut);\n", ""),
    guard("samples have what was there before", "    __builtin_memset(sample->head, 0, sizeof sample->head);\n", ""),
    guard("samples of all that is dropped", "|| state->sampled == time", ""),
    guard("samples where none are wanted", "if (!sampling || ", "if ("),
    guard("no time of the last sample", "    state->sampled = time;\n", ""),
    guard(
        "a sample says enforced where it is not",
        "may_tell(state)) tell(ctx, packet.length, verdict, enforced);",
        "may_tell(state)) tell(ctx, packet.length, verdict, 1);",
    ),
    guard("the first configuration always counts", "&configs[active & 1];", "&configs[0];"),
    guard("all that is enforced is class 0", "config->policies[class].enforce", "config->policies[0].enforce"),
    guard("malformed packets pass", "if (reason >= MALFORMED) {", "if (reason > MALFORMED) {"),
    guard("counters of all classes are one", "&state->counters[class][reason]", "&state->counters[0][reason]"),
    guard("bytes are packets", "counter->bytes += packet.length;", "counter->bytes++;"),
    of_file(
        "solana-xdp.bpf.c",
        Kind::Xdp,
        guard(
            "a frame is only what is in reach",
            "return bpf_xdp_get_buff_len(ctx);",
            "return ctx->data_end - ctx->data;",
        ),
    ),
    joined(
        "peers pay for the first of all",
        "*each = arrival(*each, time) + tier->each.interval * count;",
        "*each = arrival(*each, time) + tier->each.interval;",
    ),
    joined(
        "strangers pay for the first of all",
        "due = arrival(due, time) + tier->each.interval * count;",
        "due = arrival(due, time) + tier->each.interval;",
    ),
    joined(
        "the ceiling of peers is paid once",
        "tier->all.interval * count;\n    return PEER;",
        "tier->all.interval;\n    return PEER;",
    ),
    joined(
        "the ceiling of strangers is paid once",
        "tier->all.interval * count;\n    return UNKNOWN;",
        "tier->all.interval;\n    return UNKNOWN;",
    ),
    joined("all payloads are one", "    if (each && payload > each) payload = each;\n", ""),
    joined("a payload is never shorter than the others", "if (each && payload > each)", "if (each)"),
    joined("all are counted as one", "counter->packets += segments(ctx);", "counter->packets++;"),
    joined(
        "any length may be unwritten",
        "if (length || !segment_bytes(packet->ctx)) return 0;",
        "if (length) return 0;",
    ),
    joined(
        "lengths are not read",
        "if (length || !segment_bytes(packet->ctx)) return 0;",
        "if (!segment_bytes(packet->ctx)) return 0;",
    ),
    joined(
        "much of IPv4 is malformed",
        "    if (is_unwritten(packet, length)) length = packet->length - packet->at;\n",
        "",
    ),
    joined(
        "much of IPv6 has its header twice",
        "packet->rest = packet->length - packet->at - sizeof *header;",
        "packet->rest = packet->length - packet->at;",
    ),
    of_file(
        "solana-tcx.bpf.c",
        Kind::Tcx,
        guard(
            "what a virtual machine puts together is one",
            "    if (!ctx->gso_segs && ctx->gso_size) return ctx->len / ctx->gso_size + 1;\n",
            "",
        ),
    ),
    of_file("solana-tcx.bpf.c", Kind::Tcx, guard("nothing is put together", "return ctx->gso_size;", "return 0;")),
    of_file(
        "solana-tcx.bpf.c",
        Kind::Tcx,
        guard("what passes ends the hook", "#define PASS TC_ACT_UNSPEC", "#define PASS TC_ACT_OK"),
    ),
];
