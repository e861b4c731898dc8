//! A configuration as Kconfig resolved it, held against what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::layers::{OWN, read};
use super::{CERTIFICATE, CONFIG, Error, Files, NEW, report};
use crate::derivation::{Layers, Resolved};
use crate::kernel::judge::{Finding, Layer, Verdict, judge};
use crate::kernel::kconfig::{Failed, Kconfig};
use crate::kernel::{Config, refused};
use crate::path::RelPath;
use crate::store::{Output, Store, TreeBuilder};

/// Where a certificate starts and ends in its file, and what must not be in it.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
const SECRET: &str = "PRIVATE KEY-----";

/// Questions that a configuration to start from leaves open are told at most so many.
const MAX_TOLD: usize = 10;

/// What is compiled with, and the report.
///
/// # Errors
/// Names each line that did not come true, and why; questions that make would ask; waivers of nothing.
pub fn resolved(store: &Store, resolved: &Resolved<Output>) -> Result<(Output, Output), Error> {
    let Resolved { layers, linux, configs } = resolved;
    let (files, configs) = (Files::of(store, &layers.files)?, Files::of(store, configs)?);
    answered(&configs, layers)?;
    let number = |number: usize| RelPath::new(number.to_string()).expect("BUG: a number is no name");
    let config = |layer: usize| Ok::<_, Error>(Config::read(&configs.named(&number(layer))?));
    let base = config(0)?;
    let mut judged = Vec::new();
    for (layer, (name, requests)) in (1..).zip(read(&files, layers)?) {
        judged.push(Layer { name, requests, config: config(layer)? });
    }
    let kconfig = kconfig(&Files::of(store, linux)?)?;
    let findings: Vec<Finding> = judge(&base, &judged, &kconfig, &layers.waivers).into_iter().filter(told).collect();
    accept(&findings, &layers.waivers)?;
    let last = configs.named(&number(judged.len()))?;
    let certificate = layers.certificate.as_ref().map(|path| certificate(&files, path)).transpose()?;
    let report = report::text(&findings, &Config::read(&last));
    let compiled = [(CONFIG, Some(last)), (CERTIFICATE, certificate)];
    Ok((tree(store, compiled)?, tree(store, [(report::FILE, Some(report))])?))
}

/// A folder of those texts that are there.
fn tree<const N: usize>(store: &Store, files: [(&'static str, Option<String>); N]) -> Result<Output, Error> {
    let mut tree = TreeBuilder::new();
    for (name, text) in files {
        if let Some(text) = text {
            tree.file(&RelPath::constant(name), store.put(text.as_bytes())?, false)?;
        }
    }
    Ok(Output::Tree(tree.finish(store)?))
}

/// Refuses a configuration to start from that leaves questions open: make would ask them, and nobody is there.
fn answered(configs: &Files<'_>, layers: &Layers<Output>) -> Result<(), Error> {
    let new = configs.named(&RelPath::constant(NEW))?;
    let open: Vec<&str> = new.lines().filter(|line| line.starts_with("CONFIG_")).collect();
    let (Some(base), false) = (&layers.base, open.is_empty()) else { return Ok(()) };
    let more = open.len().saturating_sub(MAX_TOLD);
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    let told = open.iter().take(MAX_TOLD).copied().collect::<Vec<_>>().join("\n  ");
    let advice = "answer them there, or start from a target such as `defconfig` and make it a fragment";
    Err(Error::Refused(format!("{base} leaves questions open that make would ask; {advice}:\n  {told}{more}")))
}

/// Reads the Kconfig files of Linux.
fn kconfig(linux: &Files<'_>) -> Result<Kconfig, Error> {
    let read = Kconfig::read(&mut |path: &str| match RelPath::new(path) {
        Ok(path) => linux.text(&path),
        Err(_) => Ok(None),
    });
    read.map_err(|failed| match failed {
        Failed::File(error) => error,
        failed => Error::Refused(format!("the source `linux` has no Kconfig that can be read: {failed}")),
    })
}

/// Whether a line is worth a word: what forge adds is not, where Linux has no such symbol and none is wanted.
fn told(finding: &Finding) -> bool {
    let nothing = ["n", "\"\""].contains(&finding.request.value.as_str());
    !(finding.file == OWN && nothing && matches!(finding.verdict, Verdict::Unknown(_)))
}

/// Refuses lines that did not come true, and waivers that nothing needs.
fn accept(findings: &[Finding], waivers: &BTreeMap<String, String>) -> Result<(), Error> {
    let failed = findings.iter().filter(|finding| finding.verdict.fails() && finding.waived.is_none());
    let mut wrong: Vec<String> = failed.map(words).collect();
    let used = findings.iter().filter(|finding| finding.waived.is_some() || refused(&finding.request).is_some());
    let used: BTreeSet<&str> = used.map(|finding| finding.request.symbol.as_str()).collect();
    let idle = waivers.keys().filter(|symbol| !used.contains(symbol.as_str()));
    wrong.extend(idle.map(|symbol| format!("`waivers.{symbol}` lets nothing pass; drop it")));
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!("the configuration is not as it was asked for:\n  {}", wrong.join("\n  "))))
}

fn words(finding: &Finding) -> String {
    let Finding { file, request, verdict, .. } = finding;
    let place = if file == OWN { file.clone() } else { format!("{file}:{}", request.line) };
    let why = verdict.why(&request.symbol).unwrap_or_default();
    format!("{place}: {}: {}: {why}", request.text(), verdict.word())
}

/// The certificates of the file at a path.
fn certificate(files: &Files<'_>, path: &RelPath) -> Result<String, Error> {
    certificates(&files.named(path)?).map_err(|why| Error::Refused(format!("{path}: {why}")))
}

/// The certificates of a text, without what stands around them.
fn certificates(text: &str) -> Result<String, String> {
    if text.contains(SECRET) {
        return Err("it holds a private key, which no build may see; keep only the certificate in it".to_owned());
    }
    let block = |part: &str| Some(format!("{BEGIN}{}{END}\n", part.split_once(END)?.0));
    let blocks: Vec<String> = text.split(BEGIN).skip(1).filter_map(block).collect();
    if blocks.is_empty() { Err(format!("it holds no certificate: `{BEGIN}` … `{END}`")) } else { Ok(blocks.concat()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_taken_out_of_their_file() {
        let one = format!("{BEGIN}\nAAAA\n{END}\n");
        assert_eq!(certificates(&format!("# about\n{one}text\n{one}")), Ok(one.repeat(2)));
        for (text, words) in
            [("", "no certificate"), (BEGIN, "no certificate"), (&format!("{one}-----BEGIN {SECRET}"), "private key")]
        {
            let why = certificates(text).expect_err(text);
            assert!(why.contains(words), "{why}");
        }
    }
}
