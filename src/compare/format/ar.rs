//! ar: static libraries and .debs, read by the reader of .debs.
//!
//! GNU ar keeps names of more than 15 bytes in a member `//`, each ended by `/\n`; a member names
//! its place there as `/<offset>`.

use super::{time, too_many};
use crate::compare::Limits;
use crate::compare::parts::{Fields, Member, Parts};
use crate::debian::ar::{Error, Header, Reader};

pub(super) fn open<'a>(content: &'a [u8], limits: &Limits) -> Result<Parts<'a>, String> {
    let headers = headers(content, limits).map_err(|error| error.to_string())?;
    let bytes = |header: &Header| range(content, header).ok_or("it is cut off");
    let table = headers.iter().find(|header| header.name == "//").map_or(Ok(&[][..]), bytes)?;
    let member = |header: &Header| Ok(Member::new(name(header, table), fields(header), bytes(header)?));
    let members = headers.iter().map(member).collect::<Result<_, &str>>()?;
    Ok(Parts { fields: Vec::new(), members })
}

fn headers(content: &[u8], limits: &Limits) -> Result<Vec<Header>, Error> {
    let mut reader = Reader::open(content)?;
    let mut headers = Vec::new();
    while let Some(header) = reader.next_header()? {
        if headers.len() >= limits.members {
            return Err(std::io::Error::other(too_many(limits)).into());
        }
        headers.push(header);
    }
    Ok(headers)
}

fn range<'a>(content: &'a [u8], header: &Header) -> Option<&'a [u8]> {
    let start = usize::try_from(header.start).ok()?;
    content.get(start..start.checked_add(usize::try_from(header.size).ok()?)?)
}

/// The name of a member, long ones from the table.
fn name<'a>(header: &'a Header, table: &'a [u8]) -> &'a [u8] {
    let long = || {
        let start = header.name.strip_prefix('/')?.parse().ok()?;
        let name = table.get(start..)?;
        name.get(..name.windows(2).position(|end| end == b"/\n")?)
    };
    match header.name.as_str() {
        "/" | "//" => header.name.as_bytes(),
        short => long().unwrap_or(short.strip_suffix('/').unwrap_or(short).as_bytes()),
    }
}

fn fields(header: &Header) -> Fields {
    vec![
        ("the mtime", header.mtime.parse().map_or(header.mtime.clone(), time)),
        ("the owner", header.uid.clone()),
        ("the group", header.gid.clone()),
        ("the mode", header.mode.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_come_from_the_table() {
        let member = |name: &str, content: &str| {
            let padding = &"\n"[..content.len() % 2];
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n{content}{padding}", 7, 0, 0, "100644", content.len())
        };
        let table = member("//", "a-name-of-many-letters.o/\nanother-one-of-them.o/\n");
        let members = [member("/", "symbols"), table, member("x.o/", "x"), member("/26", "y"), member("/99", "z")];
        let archive = format!("!<arch>\n{}", members.concat());
        let parts = open(archive.as_bytes(), &Limits::default()).expect("sound");
        let names: Vec<_> = parts.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["/", "//", "x.o", "another-one-of-them.o", "/99"]);
        assert_eq!(parts.members[2].fields[0], ("the mtime", "7 = 1970-01-01T00:00:07Z".to_owned()));
    }
}
