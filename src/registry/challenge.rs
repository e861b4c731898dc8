//! How a registry asks who we are.
//!
//! Source: RFC 9110 §11.6.1; distribution's token specification (spec/auth/token.md).

use std::collections::BTreeMap;

use reqwest::blocking::Response;
use reqwest::header::WWW_AUTHENTICATE;

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Nothing,
    Basic,
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// What an answer asks for: a token, where there is a choice.
    pub(super) fn of(response: &Response) -> Self {
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        let read: Vec<Self> = headers.filter_map(parse).collect();
        let bearer = read.iter().find(|challenge| matches!(challenge, Self::Bearer { .. }));
        bearer.or(read.first()).cloned().unwrap_or(Self::Basic)
    }
}

/// `Bearer realm="https://…",service="…"`
fn parse(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    let mut fields = fields(rest);
    let realm = fields.remove("realm").filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
    Some(Challenge::Bearer { realm, service: fields.remove("service") })
}

/// `name="value"` or `name=value`, with commas between.
fn fields(mut text: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    while let Some((name, rest)) = text.split_once('=') {
        let (value, left) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        fields.insert(name.trim_matches([' ', ',']).to_ascii_lowercase(), value.to_owned());
        text = left;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        for (header, want) in [
            (
                r#"Bearer realm="https://a/t",service="s",scope="repository:x:pull,push""#,
                bearer("https://a/t", Some("s")),
            ),
            (r#"bearer service=s, realm="https://a/t""#, bearer("https://a/t", Some("s"))),
            (r#"Bearer realm="https://a""#, bearer("https://a", None)),
            (r#"Basic realm="x""#, Some(Challenge::Basic)),
            ("Bearer", None),
            ("Negotiate", None),
        ] {
            assert_eq!(parse(header), want, "{header}");
        }
    }
}
