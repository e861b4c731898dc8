//! The mistakes: each is one that a person could make, and that compiles.

/// A text of a source, and what stands there instead.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    pub name: &'static str,
    pub file: &'static str,
    pub text: &'static str,
    pub replacement: &'static str,
}

const fn guard(name: &'static str, text: &'static str, replacement: &'static str) -> Mutant {
    Mutant { name, file: "guard.h", text, replacement }
}

/// All mistakes, in the order of the guard.
pub const MUTANTS: &[Mutant] = &[
    guard(
        "a burst is exclusive",
        "(__s64)(arrival(due, time) - time) > limit->burst",
        "(__s64)(arrival(due, time) - time) >= limit->burst",
    ),
    guard("a debt that is paid still counts", "return due > time ? due : time;", "return due;"),
    guard("the host has no part in a peer's bit", "(network ^ host << 1) *", "network *"),
    guard("half of the bits of peers", "bit / 64] >> bit % 64 & 1", "bit / 64] >> bit % 32 & 1"),
    guard("no look at the bits of peers", "    if (!(config->peer_bits[bit / 64] >> bit % 64 & 1)) return 0;\n", ""),
    guard(
        "a peer's own limit before the ceiling",
        "    if (early(*all, time, &tier->all)) return CEILING;\n    if (early(*each, time, &tier->each)) return PEER_LIMIT;",
        "    if (early(*each, time, &tier->each)) return PEER_LIMIT;\n    if (early(*all, time, &tier->all)) return CEILING;",
    ),
    guard(
        "a peer pays from what was due",
        "*each = arrival(*each, time) + tier->each.interval;",
        "*each += tier->each.interval;",
    ),
    guard(
        "a peer pays the interval of all",
        "*each = arrival(*each, time) + tier->each.interval;",
        "*each = arrival(*each, time) + tier->all.interval;",
    ),
    guard(
        "peers have the ceiling of tier 0",
        "&state->due[packet->class % CLASSES][packet->tier % TIERS]",
        "&state->due[packet->class % CLASSES][0]",
    ),
    guard(
        "unknown senders have the ceiling of tier 1",
        "&state->due[packet->class % CLASSES][0]",
        "&state->due[packet->class % CLASSES][1]",
    ),
    guard(
        "unknown senders have the limits of tier 1",
        "judge_unknown(packet, &policy->tiers[0], state, time)",
        "judge_unknown(packet, &policy->tiers[1], state, time)",
    ),
    guard(
        "a tier is taken modulo the classes",
        "packet->tier = peer->tier % TIERS;",
        "packet->tier = peer->tier % CLASSES;",
    ),
    guard(
        "cells do not depend on the class",
        "(network ^ seed) * 0xbf58476d1ce4e5b9 + class * 0x9e3779b97f4a7c15",
        "(network ^ seed) * 0xbf58476d1ce4e5b9",
    ),
    guard("cells do not depend on the seed", "(network ^ seed) * 0xbf58476d1ce4e5b9", "network * 0xbf58476d1ce4e5b9"),
    guard("both rows use the same cell", "hash >> 32 & (CELLS - 1)", "hash >> 48"),
    guard("the larger cell is the debt", "*one < *other ? *one : *other", "*one > *other ? *one : *other"),
    guard("the second row is not written", "    if (*other < due) *other = due;\n", ""),
    guard("a smaller debt replaces a larger", "    if (*one < due) *one = due;\n", "    *one = due;\n"),
    guard(
        "who is over its limit pays the ceiling",
        "    if (early(due, time, &tier->each)) return SOURCE_LIMIT;",
        "    if (early(due, time, &tier->each)) {\n        *all = arrival(*all, time) + tier->all.interval;\n        return SOURCE_LIMIT;\n    }",
    ),
    guard(
        "the first source port is not allowed",
        "bpf_ntohs(packet->source_port) < policy->source_port_min",
        "bpf_ntohs(packet->source_port) <= policy->source_port_min",
    ),
    guard(
        "source ports in the wrong order of bytes",
        "bpf_ntohs(packet->source_port) < policy->source_port_min",
        "packet->source_port < policy->source_port_min",
    ),
    guard("the shortest payload is not allowed", "payload < policy->payload_min", "payload <= policy->payload_min"),
    guard("the longest payload is not allowed", "payload > policy->payload_max", "payload >= policy->payload_max"),
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
        "(void *)at - packet->data, &byte",
        "(void *)at - packet->data + 1, &byte",
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
        "a first piece is judged as a whole",
        "return packet->more ? FRAGMENT : shape(",
        "return packet->more > 1 ? FRAGMENT : shape(",
    ),
    guard("what answers a SYN opens a connection", "!header->syn || header->ack", "!header->syn"),
    guard("classes of TCP from the table of UDP", "config->tcp_class[packet->port]", "config->udp_class[packet->port]"),
    guard(
        "later pieces of UDP always pass",
        "packet->protocol == IPPROTO_UDP && config->drop_fragments ? FRAGMENT",
        "packet->protocol == IPPROTO_UDP && config->drop_fragments > 1 ? FRAGMENT",
    ),
    guard(
        "a packet may end one byte behind the frame",
        "return needed <= packet->length;",
        "return needed <= packet->length + 1;",
    ),
    guard("nobody's address is local", "return address != 0;", "return 1;"),
    guard(
        "seven local addresses",
        "for (int i = 0; i < LOCALS; i++) {\n        if (config->local4[i]",
        "for (int i = 0; i < LOCALS - 1; i++) {\n        if (config->local4[i]",
    ),
    guard(
        "a header of four words",
        "header->version != 4 || own < sizeof *header",
        "header->version != 4 || own < sizeof *header - 4",
    ),
    guard("an empty IPv4 packet is malformed", "length < own ||", "length <= own ||"),
    guard("the version of IPv4 is not looked at", "header->version != 4 || ", ""),
    guard("224.0.0.0/8 may send", "first >= 224", "first > 224"),
    guard("127.0.0.0/8 may send", "first == 127 || ", ""),
    guard("options are transport", "packet->next += own;", "packet->next += sizeof *header;"),
    guard("don't fragment as more fragments", "fragment & 0x2000", "fragment & 0x4000"),
    guard("the highest bit of an offset is lost", "fragment & 0x1fff", "fragment & 0x0fff"),
    guard(
        "any host of the network is local",
        "local->network == address->network && local->host == address->host",
        "local->network == address->network",
    ),
    guard("AH in units of 8 bytes", "(header->length + 2) * 4", "(header->length + 2) * 8"),
    guard("an extension is 8 bytes shorter", "length = (header->length + 1) * 8", "length = (header->length ?: 1) * 8"),
    guard(
        "lengths of extensions have 7 bits",
        "length = (header->length + 1) * 8",
        "length = ((header->length & 127) + 1) * 8",
    ),
    guard(
        "an extension may not end the packet",
        "if (length > packet->rest) return MALFORMED;",
        "if (length >= packet->rest) return MALFORMED;",
    ),
    guard("the bytes of an extension stay in the rest", "    packet->rest -= length;\n", ""),
    guard(
        "more fragments of IPv6 are lost",
        "packet->more |= (fragment->offset & bpf_htons(1)) != 0;",
        "packet->more |= fragment->offset & bpf_htons(1);",
    ),
    guard("the last fragment header decides", "packet->more |= (fragment", "packet->more = (fragment"),
    guard("offset 1 of IPv6 is lost", "bpf_htons(0xfff8)", "bpf_htons(0xfff0)"),
    guard("three extensions", "i <= EXTENSIONS", "i < EXTENSIONS"),
    guard("IPv6 ends its own header early", "packet->rest + sizeof *header", "packet->rest"),
    guard(
        "the first networks of IPv6 may send",
        "!packet->network || (__u8)packet->network == 0xff",
        "(__u8)packet->network == 0xff",
    ),
    guard("one tag", "for (int i = 0; i < 2; i++)", "for (int i = 0; i < 1; i++)"),
    guard(
        "service tags are no tags",
        "protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD)",
        "protocol != bpf_htons(ETH_P_8021Q)",
    ),
    guard("a sample names the class as the tier", "sample->tier = packet->tier;", "sample->tier = packet->class;"),
    guard(
        "samples are never due",
        "state->sample_due = arrival(state->sample_due, time) + sample_interval;",
        "state->sample_due = arrival(state->sample_due, time);",
    ),
    guard("the first configuration always counts", "which = active & 1;", "which = 0;"),
    guard(
        "all that is enforced is class 0",
        "config->policies[packet.class % CLASSES].enforce",
        "config->policies[0].enforce",
    ),
    guard("malformed packets pass", "if (reason >= MALFORMED) {", "if (reason > MALFORMED) {"),
    guard("bytes are packets", "counter->bytes += packet.length;", "counter->bytes++;"),
    Mutant {
        name: "a frame is only what is in reach",
        file: "solana-xdp.bpf.c",
        text: "return bpf_xdp_get_buff_len(ctx);",
        replacement: "return ctx->data_end - ctx->data;",
    },
];
