//! The language of the list of checks: one a line, a word and what it is about.
//!
//! | line | what must be |
//! |---|---|
//! | `config` | `/proc/config.gz` is `/forge/config` |
//! | `argument WORD` | the kernel was started with that argument |
//! | `sysctl NAME=VALUE` | the value can be written, and is read back |
//! | `layers IMAGE …` | the squashfs images, in loop devices, are laid one over the other at `/root`, the last on top |
//! | `absent PATH` | there is no such file |
//! | `appears PATH` | there is, after a while |
//! | `file PATH=TEXT` | the file has that text in its first 64 KiB; blanks of any kind and number are one |
//! | `reject FLAW MODULE` | the kernel refuses the module if it is `damaged` or `unsigned`; or as it is: `whole` |
//! | `load MODULE` | the module and those that it needs are loaded, from `/root/usr/lib/modules/<release>` |
//!
//! Checks are made in the order of the lines, and what one did stays.

/// One check.
#[derive(Debug, PartialEq, Eq)]
pub enum Check<'a> {
    Config,
    Argument(&'a str),
    Sysctl { name: &'a str, value: &'a str },
    Layers(Vec<&'a str>),
    Absent(&'a str),
    Appears(&'a str),
    File { path: &'a str, text: &'a str },
    Reject { flaw: Flaw, module: &'a str },
    Load(&'a str),
}

/// What is wrong with a module that the kernel must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// One bit of it is another.
    Damaged,
    /// It has no signature.
    Unsigned,
    /// Nothing; it is there to see the check itself fail.
    Whole,
}

impl<'a> Check<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(line: &'a str) -> Result<Self, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let pair = || rest.split_once('=').ok_or_else(|| "no `=` in it".to_owned());
        Ok(match word {
            "config" => Self::Config,
            "argument" => Self::Argument(rest),
            "sysctl" => pair().map(|(name, value)| Self::Sysctl { name, value })?,
            "layers" => Self::Layers(rest.split(' ').collect()),
            "absent" => Self::Absent(rest),
            "appears" => Self::Appears(rest),
            "file" => pair().map(|(path, text)| Self::File { path, text })?,
            "reject" => {
                let (flaw, module) = rest.split_once(' ').ok_or_else(|| "no module in it".to_owned())?;
                Self::Reject { flaw: flaw_of(flaw)?, module }
            }
            "load" => Self::Load(rest),
            _ => return Err("no such check".to_owned()),
        })
    }
}

fn flaw_of(word: &str) -> Result<Flaw, String> {
    match word {
        "damaged" => Ok(Flaw::Damaged),
        "unsigned" => Ok(Flaw::Unsigned),
        "whole" => Ok(Flaw::Whole),
        _ => Err(format!("no such flaw: {word}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        for (line, check) in [
            ("config", Check::Config),
            ("argument pti=on", Check::Argument("pti=on")),
            (
                "sysctl net.ipv4.tcp_rmem=4096 8192 16384",
                Check::Sysctl { name: "net.ipv4.tcp_rmem", value: "4096 8192 16384" },
            ),
            ("layers /rootfs.sqsh /0.sqsh", Check::Layers(vec!["/rootfs.sqsh", "/0.sqsh"])),
            ("absent /sys/x", Check::Absent("/sys/x")),
            ("appears /dev/x", Check::Appears("/dev/x")),
            ("file /a=b=c d", Check::File { path: "/a", text: "b=c d" }),
            ("reject damaged nvme", Check::Reject { flaw: Flaw::Damaged, module: "nvme" }),
            ("reject unsigned nvme", Check::Reject { flaw: Flaw::Unsigned, module: "nvme" }),
            ("reject whole nvme", Check::Reject { flaw: Flaw::Whole, module: "nvme" }),
            ("load nvme", Check::Load("nvme")),
        ] {
            assert_eq!(Check::read(line), Ok(check), "{line}");
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["", "sysctl x", "file /x", "reject nvme", "reject bent nvme", "dance"] {
            assert!(Check::read(line).is_err(), "{line}");
        }
    }
}
