//! Base58, as addresses and hashes of Solana are written.

/// How many bytes an address or a hash has.
const BYTES: usize = 32;
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Whether `text` is 32 bytes in base58.
pub(super) fn is_key(text: &str) -> bool {
    decoded(text).is_some_and(|bytes| bytes == BYTES)
}

/// How many bytes `text` stands for; nothing if it is not base58, or far too long.
fn decoded(text: &str) -> Option<usize> {
    let mut number: Vec<u8> = Vec::new();
    for byte in text.bytes() {
        let mut carry = ALPHABET.iter().position(|letter| *letter == byte)?;
        for digit in &mut number {
            carry += usize::from(*digit) * ALPHABET.len();
            *digit = (carry % 256) as u8;
            carry /= 256;
        }
        if carry > 0 {
            number.push(carry as u8);
        }
        if number.len() > BYTES {
            return None;
        }
    }
    let zeros = text.bytes().take_while(|byte| *byte == ALPHABET[0]).count();
    Some(zeros + number.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (text, expected) in [
            ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", true),
            ("11111111111111111111111111111111", true),
            ("1111111111111111111111111111111", false),
            ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N", false),
            ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9dd", false),
            ("0eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", false),
            ("", false),
        ] {
            assert_eq!(is_key(text), expected, "{text}");
        }
    }
}
