//! Units of kind `kernel`, most of them of a Linux that is a few lines long: the same targets of make, in the real
//! toolroot. `just kernel` builds the real one before, into the store that is used here.

use std::fs;
use std::path::Path;

use crate::cargo;
use crate::support::{Forge, Run, copy_tree};
use crate::why_changed::{commit, git};

/// A recipe up to its fragments, for the small Linux beside it.
const RECIPE: &str = "toolroot = 'toolroot-kernel'\nlocalversion = '-t'\n\
                      sources.linux = { path = ['Makefile', 'Kconfig', 'scripts/**'] }\n";

/// This repository's recipes and the small Linux at kernel/mini, in a store that is kept.
pub fn ours() -> Forge {
    let (forge, here) = (cargo::ours(), Path::new(env!("CARGO_MANIFEST_DIR")));
    copy_tree(&here.join("tests/kernel/linux"), &forge.project().join("kernel/mini"));
    forge.env("FORGE_STORE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("linux"))
}

/// The small Linux with two fragments and more fields.
fn mini(one: &str, two: &str, fields: &str) -> Forge {
    let forge = ours();
    let recipe = format!("{RECIPE}fragments = ['one.config', 'two.config']\n{fields}");
    let base = if fields.contains("base =") { "" } else { "base = 'tinyconfig'\n" };
    forge.write("kernel/mini/recipe.toml", &format!("{base}{recipe}"));
    forge.write("kernel/mini/one.config", one).write("kernel/mini/two.config", two);
    forge
}

/// What a build of the small Linux says that fails.
fn refused(one: &str, two: &str, fields: &str) -> Run {
    mini(one, two, fields).run(&["build", "mini"]).code(1)
}

/// A file of an output of the unit `mini`.
fn read(forge: &Forge, path: &str) -> String {
    fs::read_to_string(forge.project().join("result").join(path)).expect(path)
}

#[test]
fn every_output_and_the_report() {
    let one = "# Devices\nCONFIG_MODULES=y\nCONFIG_BUS=y\nCONFIG_DISK=m\nCONFIG_TINY=y\n";
    let two = "CONFIG_CORE=y\n# CONFIG_TINY is not set\nCONFIG_DISK=y\n";
    let forge = mini(one, two, "command-line = ['slab_nomerge', 'pti=on']");
    let outputs = ["mini", "mini:modules", "mini:headers", "mini:debug", "mini:report"];
    let _ = forge.run(&[&["build"][..], &outputs].concat()).success();
    let config = "CONFIG_BUILD_SALT=\"\"\nCONFIG_BUS=y\nCONFIG_CORE=y\nCONFIG_DISK=y\nCONFIG_LOCALVERSION=\"-t\"\n\
                  CONFIG_MODULES=y\nCONFIG_MODULE_SIG_KEY=\"\"\nCONFIG_SYSTEM_TRUSTED_KEYS=\"\"\n";
    for (path, text) in [
        ("mini/config", config),
        ("mini/release", "6.0.0-t\n"),
        ("mini/cmdline", "slab_nomerge pti=on\n"),
        ("mini:modules/lib/modules/6.0.0-t/a.ko", "vermagic=6.0.0-t SMP "),
    ] {
        assert_eq!(read(&forge, path), text, "{path}");
    }
    assert!(!forge.project().join("result/mini:modules/lib/modules/6.0.0-t/build").exists());
    for path in ["mini/bzImage", "mini/System.map", "mini:debug/vmlinux", "mini:headers/.config"] {
        assert!(read(&forge, path).contains("CONFIG_DISK=y"), "{path}");
    }
    let report: serde_json::Value = serde_json::from_str(&read(&forge, "mini:report/configuration.json")).unwrap();
    let told = report["lines"].as_array().unwrap().iter().filter(|line| line["file"] != "the recipe");
    let told = told.map(|line| {
        let [file, asked, verdict] = ["file", "asked", "verdict"].map(|key| line[key].as_str().unwrap());
        format!("{file}:{} {asked} {verdict}", line["line"])
    });
    let want = [
        "one.config:2 CONFIG_MODULES=y kept",
        "one.config:3 CONFIG_BUS=y kept",
        "one.config:4 CONFIG_DISK=m overridden",
        "one.config:5 CONFIG_TINY=y overridden",
        "two.config:1 CONFIG_CORE=y promptless",
        "two.config:2 # CONFIG_TINY is not set kept",
        "two.config:3 CONFIG_DISK=y kept",
    ];
    assert_eq!(told.collect::<Vec<_>>(), want);
}

#[test]
fn lines_that_do_not_come_true() {
    let one = "CONFIG_DISK=m\nCONFIG_DIKS=m\n\n# CONFIG_ELEPHANT is not set\n";
    let run = refused(one, "CONFIG_BUS=m\n", "");
    for words in [
        "one.config:2: CONFIG_DIKS=m: unknown: this Linux has no CONFIG_DIKS; there is CONFIG_DISK",
        "one.config:4: # CONFIG_ELEPHANT is not set: unknown: this Linux has no CONFIG_ELEPHANT",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    let _ = refused("CONFIG_DISK=m\n", "# nothing\n", "").says(
        "mini: judge configuration: the configuration is not as it was asked for:\n  \
         one.config:1: CONFIG_DISK=m: coerced: came out as n: it depends on `BUS`, and BUS is n",
    );
    let _ =
        refused("CONFIG_BUS=y\nCONFIG_DISK=m\n", "# CONFIG_BUS is not set\n", "").says("it was so until two.config");
}

#[test]
fn a_configuration_alone_compiles_nothing() {
    let forge = mini("CONFIG_BUS=y\n", "", "configure-only = true");
    let run = forge.run(&["build", "mini", "mini:report"]).success();
    assert!(!run.stderr.contains("compile"), "{}", run.stderr);
    assert!(read(&forge, "mini/config").contains("CONFIG_BUS=y"));
    assert!(read(&forge, "mini:report/configuration.json").contains("\"verdict\": \"kept\""));
}

#[test]
fn waivers_let_lines_pass_and_must_be_needed() {
    let waived = "configure-only = true\nwaivers = { DISK = 'no bus yet', NR_CPUS = 'few' }";
    let _ = mini("CONFIG_DISK=m\nCONFIG_NR_CPUS=2\n", "", waived).run(&["build", "mini:report"]).success();
    let run = refused("CONFIG_BUS=y\nCONFIG_DISK=m\n", "", waived);
    assert!(
        run.stderr.contains("`waivers.DISK` lets nothing pass; drop it\n  `waivers.NR_CPUS` lets"),
        "{}",
        run.stderr
    );
}

#[test]
fn lines_that_are_refused_stop_before_anything_is_configured() {
    let run = refused("CONFIG_NR_CPUS=128\n\nCONFIG_IO_WQ=y\n", "CONFIG_MODULE_SIG_KEY=\"k.pem\"\n", "");
    for words in [
        "one.config:1: CONFIG_NR_CPUS=128 is refused: the kernel would see only so many threads",
        "one.config:3: CONFIG_IO_WQ=y is refused: nobody can choose it",
        "two.config:1: CONFIG_MODULE_SIG_KEY=\"k.pem\" is refused: forge sets it itself",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("configure: started"));
    let _ = refused("CONFIG_A=yes\n", "A=y\n", "").says("one.config:1: `yes` is no value for CONFIG_A");
}

#[test]
fn a_whole_configuration_must_answer_all_that_make_would_ask() {
    let base = "base = 'whole.config'\n";
    let forge = mini("CONFIG_BUS=y\n", "", base);
    forge.write("kernel/mini/whole.config", "CONFIG_MODULES=y\n");
    let run = forge.run(&["build", "mini"]).code(1);
    let _ = run.says("whole.config leaves questions open that make would ask").says("CONFIG_TINY=y");
    forge.write("kernel/mini/whole.config", "CONFIG_MODULES=y\nCONFIG_TINY=y\n");
    let _ = forge.run(&["build", "mini"]).success();
}

#[test]
fn a_module_for_another_kernel_and_a_private_key_are_refused() {
    let run = refused("CONFIG_MODULES=y\nCONFIG_MAGIC=\"5.10.0\"\n", "", "");
    let _ = run.says("lib/modules/6.0.0-t/a.ko is not for the kernel 6.0.0-t");
    let forge = mini("CONFIG_BUS=y\n", "", "certificate = 'both.pem'");
    let pem = |what: &str| format!("-----BEGIN {what}-----\nAAAA\n-----END {what}-----\n");
    forge.write("kernel/mini/both.pem", &(pem("CERTIFICATE") + &pem("PRIVATE KEY")));
    let _ = forge.run(&["build", "mini"]).code(1).says("both.pem: it holds a private key");
}

/// Why the unit `mini` is another one than in the last commit.
fn why(forge: &Forge) -> Vec<String> {
    let lines = forge.run(&["why-changed", "HEAD", "mini", "--json"]).success().json();
    let line = lines.iter().find(|line| line["name"] == "mini").unwrap();
    line["why"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_changed_line_shows_as_symbols_and_a_changed_comment_compiles_nothing() {
    // Something that no run before had, as the store is kept.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let fragment =
        |comment: &str| format!("# {comment}\nCONFIG_BUS=y\nCONFIG_NR_CPUS={}\n", 192 + now.subsec_micros() % 8000);
    let forge = mini(&fragment("Devices"), "CONFIG_DISK=y\n", "");
    git(&forge.project(), &["init", "--quiet"]);
    commit(&forge);
    let _ = forge.run(&["build", "mini"]).success();
    forge.write("kernel/mini/one.config", &fragment("The devices"));
    let run = forge.run(&["build", "mini"]).success();
    assert!(!run.stderr.contains("configure: started") && !run.stderr.contains("compile: started"), "{}", run.stderr);
    forge.write("kernel/mini/two.config", "CONFIG_DISK=m\n");
    let asks = "one.config changed; two.config asks: DISK y → m";
    assert_eq!(why(&forge), [asks]);
    let _ = forge.run(&["build", "mini"]).success();
    assert_eq!(why(&forge), ["configuration: CORE y → m, DISK y → m", asks]);
}

#[test]
fn lines_that_do_not_come_true_in_linux_itself() {
    let forge = ours();
    forge.write("kernel/lines.toml", "extends = 'kernel-common'\nbase = 'tinyconfig'\nfragments = ['lines.config']\n");
    forge.write(
        "kernel/lines.config",
        "CONFIG_NUMA=y\nCONFIG_NUMAA=y\nCONFIG_NET=y\nCONFIG_HUGETLB_PAGE=y\nCONFIG_TMPFS=m\n",
    );
    let _ = forge.run(&["lock"]).success();
    let run = forge.run(&["build", "lines"]).code(1);
    for words in [
        "lines.config:1: CONFIG_NUMA=y: coerced: came out as n: it depends on `SMP`, and SMP is n",
        "lines.config:2: CONFIG_NUMAA=y: unknown: this Linux has no CONFIG_NUMAA; there is CONFIG_NUMA",
        "lines.config:4: CONFIG_HUGETLB_PAGE=y: coerced: came out as n: nobody can choose it: only other symbols set it",
        "lines.config:5: CONFIG_TMPFS=m: coerced: came out as n: it is a bool, never m",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("CONFIG_NET=y"), "{}", run.stderr);
}
