//! How much of something: the ranges of bytes that registries write in headers.
//!
//! Source: RFC 9110 §14.4; OCI distribution-spec 1.1, "Pushing a blob in chunks".

use reqwest::header::{CONTENT_RANGE, HeaderMap, RANGE};

/// How many bytes an upload has: `0-1023` are 1024, `0-0` are none, as registries say it of an empty one.
pub(super) fn received(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RANGE)?.to_str().ok()?;
    let (first, last) = text.trim_start_matches("bytes=").split_once('-')?;
    let last: u64 = last.parse().ok()?;
    (first == "0").then_some(if last == 0 { 0 } else { last + 1 })
}

/// Where a part of some content begins, and the size of the whole: `bytes 5-9/10`.
pub(super) fn part(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn header(name: HeaderName, text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(text))])
    }

    #[test]
    fn how_much_an_upload_has() {
        for (text, want) in
            [("0-1023", Some(1024)), ("0-0", Some(0)), ("bytes=0-9", Some(10)), ("1-9", None), ("x", None)]
        {
            assert_eq!(received(&header(RANGE, text)), want, "{text}");
        }
    }

    #[test]
    fn which_part_it_is() {
        for (text, want) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 5-9/*", Some((5, None))),
            ("bytes */10", None),
            ("5-9/10", None),
        ] {
            assert_eq!(part(&header(CONTENT_RANGE, text)), want, "{text}");
        }
    }
}
