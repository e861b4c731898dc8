//! The grammar of image names.
//!
//! Source: distribution's reference/reference.go. oci-client reads it as well, but with a regular expression whose
//! compilation takes longer than a push that has nothing to send.

/// The longest name of a repository, with its host.
const NAME_MAX: usize = 255;
/// The longest tag.
const TAG_MAX: usize = 128;

/// Whether it is a `host[:port]`.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "0"));
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        label.bytes().all(inner) && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    port.parse::<u16>().is_ok() && host.split('.').all(label)
}

/// Whether it is the path of a repository: words of small letters and digits, with separators between.
pub(super) fn is_path(text: &str) -> bool {
    text.len() <= NAME_MAX && text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    if !ends.iter().all(|end| end.as_ref().is_some_and(alphanumeric)) {
        return false;
    }
    let separators = text.split(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    separators
        .into_iter()
        .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'))
}

/// Whether it is a tag.
pub(super) fn is_tag(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.len() <= TAG_MAX && !text.starts_with(['.', '-']) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_oci_client_reads_it() {
        let parts =
            ["a", "a-b", "a--b", "a_b", "a__b", "a___b", "a.b", "a..b", "-a", "a-", "A", "", "a/b", "a//b", "é"];
        // Letters such as é are none in a tag, as in Go; oci-client takes them.
        assert!(!is_tag("é"));
        let tags = ["1", "v1.2-3_4", ".1", "-1", "A", ""];
        for path in parts {
            for tag in tags {
                let want = format!("example.org/{path}:{tag}").parse::<oci_client::Reference>().is_ok();
                assert_eq!(is_path(path) && is_tag(tag), want, "{path}:{tag}");
            }
        }
        for host in ["localhost", "localhost:5000", "a.b", "a-b.c:1", "-a.b", "a..b", "a.b:x", "a.b:"] {
            let want = format!("{host}/a:1").parse::<oci_client::Reference>().is_ok();
            assert_eq!(is_host(host), want, "{host}");
        }
    }
}
