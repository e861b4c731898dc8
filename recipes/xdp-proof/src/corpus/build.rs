//! Frames by hand: what is not said is right.

/// An Ethernet frame around a packet.
pub fn ethernet(kind: u16, packet: &[u8]) -> Vec<u8> {
    tagged(&[], kind, packet)
}

/// An Ethernet frame with tags of these types.
pub fn tagged(tags: &[u16], kind: u16, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for tag in tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 7]);
    }
    frame.extend(kind.to_be_bytes());
    frame.extend(packet);
    frame
}

/// An IPv4 packet from a stranger to the node.
#[derive(Clone, Copy, Debug)]
pub struct Ip4 {
    pub version: u8,
    /// Words of the header; the bytes that it has are 20 and `options`.
    pub ihl: u8,
    pub options: usize,
    /// None: as long as the packet is.
    pub total: Option<u16>,
    pub fragment: u16,
    pub protocol: u8,
    pub source: [u8; 4],
    pub destination: [u8; 4],
}

impl Default for Ip4 {
    fn default() -> Self {
        Ip4 {
            version: 4,
            ihl: 5,
            options: 0,
            total: None,
            fragment: 0,
            protocol: 17,
            source: [203, 0, 113, 1],
            destination: [192, 0, 2, 1],
        }
    }
}

impl Ip4 {
    /// The packet around a segment.
    pub fn around(self, segment: &[u8]) -> Vec<u8> {
        let total = self.total.unwrap_or((20 + self.options + segment.len()) as u16);
        let mut packet = vec![self.version << 4 | self.ihl, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 1]);
        packet.extend(self.fragment.to_be_bytes());
        packet.extend([64, self.protocol, 0, 0]);
        packet.extend(self.source);
        packet.extend(self.destination);
        packet.resize(20 + self.options, 1);
        packet.extend(segment);
        packet
    }

    /// The same in a frame.
    pub fn frame(self, segment: &[u8]) -> Vec<u8> {
        ethernet(0x0800, &self.around(segment))
    }
}

/// An IPv6 packet from a stranger to the node.
#[derive(Clone, Debug)]
pub struct Ip6 {
    pub version: u8,
    /// None: as long as the packet is.
    pub payload: Option<u16>,
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// Kinds of the extension headers and their bytes, of which the first is the kind of what comes next.
    pub extensions: Vec<(u8, Vec<u8>)>,
    pub protocol: u8,
}

impl Default for Ip6 {
    fn default() -> Self {
        let source = [0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        Ip6 { version: 6, payload: None, source, destination: NODE6, extensions: Vec::new(), protocol: 17 }
    }
}

/// The node's IPv6 address.
pub const NODE6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

impl Ip6 {
    /// The packet around a segment.
    pub fn around(&self, segment: &[u8]) -> Vec<u8> {
        let nexts = self.extensions.iter().map(|(kind, _)| *kind).chain([self.protocol]);
        let nexts: Vec<u8> = nexts.collect();
        let mut payload = Vec::new();
        for ((_, bytes), next) in self.extensions.iter().zip(&nexts[1..]) {
            payload.push(*next);
            payload.extend(&bytes[1..]);
        }
        payload.extend(segment);
        let mut packet = vec![self.version << 4, 0, 0, 0];
        packet.extend(self.payload.unwrap_or(payload.len() as u16).to_be_bytes());
        packet.extend([nexts[0], 64]);
        packet.extend(self.source);
        packet.extend(self.destination);
        packet.extend(payload);
        packet
    }

    /// The same in a frame.
    pub fn frame(&self, segment: &[u8]) -> Vec<u8> {
        ethernet(0x86dd, &self.around(segment))
    }
}

/// An extension header that says it has `units` beyond its first ones, and has `bytes`.
pub fn extension(kind: u8, units: u8, bytes: usize) -> (u8, Vec<u8>) {
    let mut header = vec![0; bytes];
    header[1] = units;
    (kind, header)
}

/// A fragment header.
pub fn fragment6(offset_and_more: u16) -> (u8, Vec<u8>) {
    let [high, low] = offset_and_more.to_be_bytes();
    (44, vec![0, 0, high, low, 0, 0, 0, 1])
}

/// A UDP datagram.
pub fn udp(source_port: u16, port: u16, payload: &[u8]) -> Vec<u8> {
    udp_of_length(source_port, port, 8 + payload.len() as u16, payload)
}

/// A UDP datagram that says how long it is.
pub fn udp_of_length(source_port: u16, port: u16, length: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram: Vec<u8> = [source_port, port, length, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    datagram.extend(payload);
    datagram
}

/// A TCP segment without options.
pub fn tcp(port: u16, flags: u8) -> Vec<u8> {
    let mut segment: Vec<u8> = [4096, port].into_iter().flat_map(u16::to_be_bytes).collect();
    segment.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment
}
