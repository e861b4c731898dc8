//! What the kernel said last, for who asks why it refused something.

use std::io::Read as _;

use rustix::fs::{Mode, OFlags, open};

/// A record has at most so many bytes (`PRINTKRB_RECORD_MAX`).
const RECORD: usize = 1024;

/// The last message, or that there is none.
pub fn last() -> String {
    let Ok(log) = open("/dev/kmsg", OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()) else {
        return "the kernel's log can't be read".to_owned();
    };
    let (mut log, mut record, mut last) = (std::fs::File::from(log), [0; RECORD], None);
    // A read gives one record, and fails after the last.
    while let Ok(length @ 1..) = log.read(&mut record) {
        last = message(&String::from_utf8_lossy(&record[..length])).or(last);
    }
    last.map_or_else(|| "the kernel said nothing".to_owned(), |last| format!("the kernel's last words: {last}"))
}

/// The text of a record: `priority,number,time,flags;text`, and lines of details after it.
fn message(record: &str) -> Option<String> {
    let (_, text) = record.lines().next()?.split_once(';')?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_a_text() {
        assert_eq!(message("4,1,2,-;x: Unknown symbol y\n SUBSYSTEM=z\n").as_deref(), Some("x: Unknown symbol y"));
        assert_eq!(message("nothing"), None);
    }
}
