//! Datagrams to try a program with.

/// A UDP datagram over IPv4 in an Ethernet frame.
pub struct Datagram<'a> {
    /// The sender.
    pub source: ([u8; 4], u16),
    /// The receiver.
    pub to: ([u8; 4], u16),
    /// After the UDP header.
    pub payload: &'a [u8],
}

impl Datagram<'_> {
    /// The frame; the checksums, which the program does not look at, are 0.
    pub fn frame(&self) -> Vec<u8> {
        let udp = 8 + self.payload.len() as u16;
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
        frame.extend([0x45, 0]);
        frame.extend((20 + udp).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
        frame.extend(self.source.0);
        frame.extend(self.to.0);
        frame.extend(self.source.1.to_be_bytes());
        frame.extend(self.to.1.to_be_bytes());
        frame.extend(udp.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(self.payload);
        frame
    }
}
