//! `forge store gc|du|fsck`: what goes, what stays, what is damaged, and what is said of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use forge::digest::Digest;

use crate::support::{Forge, Run, boxed};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A project with the units `kept` and `old`, both built, the link of `old` gone.
fn project() -> Forge {
    let forge = boxed::forge();
    for name in ["kept", "old"] {
        let text = format!("toolroot = \"box\"\nsteps = [\"mkdir /out/out; echo {name} > /out/out/{name}\"]\n");
        forge.write(&format!("recipes/{name}.toml"), &text);
    }
    forge.run(&["build", "--offline", "kept", "old", "box"]).success();
    fs::remove_file(forge.project().join("result/old")).unwrap();
    forge
}

/// Makes a file or every result seem so old.
fn age(path: &Path, days: u32) {
    // Not changed in place, as it may be a link to another store's.
    let (text, aside) = (fs::read(path).unwrap(), path.with_extension("aside"));
    fs::write(&aside, text).unwrap();
    fs::File::options().write(true).open(&aside).unwrap().set_modified(SystemTime::now() - DAY * days).unwrap();
    fs::rename(aside, path).unwrap();
}

/// The files in the folders of a folder of the store.
fn sharded(forge: &Forge, folder: &str) -> Vec<PathBuf> {
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    entries(&forge.store().join(folder)).iter().flat_map(|shard| entries(shard)).collect()
}

/// The line of stdout that holds `words`.
fn line<'a>(run: &'a Run, words: &str) -> &'a str {
    run.stdout.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("no `{words}` in\n{}", run.stdout))
}

#[test]
fn gc_says_what_goes_and_why_by_unit() {
    let forge = project();
    assert_eq!(
        forge
            .run(&["store", "gc", "--older-than", "1d"])
            .success()
            .stdout
            .lines()
            .filter(|line| line.contains("result,"))
            .count(),
        0
    );
    sharded(&forge, "result").iter().for_each(|result| age(result, 45));
    let plan = forge.run(&["store", "gc", "--dry-run"]).success().says("would free ").says("2 result links need ");
    assert!(line(&plan, "  old: ").ends_with("1 result, not used for 45 days"), "{}", plan.stdout);
    assert!(line(&plan, "  unpacked packages: ").contains(" results, not used for 45 days"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("kept"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("downloads for box"), "inputs of a kept result stay: {}", plan.stdout);
    assert!(plan.stdout.lines().count() < 8, "not a wall of digests: {}", plan.stdout);

    let all = forge.run(&["store", "gc", "--dry-run", "--json"]).success().json();
    let exists =
        |removal: &serde_json::Value| forge.store().join(removal["path"].as_str().unwrap()).symlink_metadata().is_ok();
    assert!(all.iter().all(exists), "a dry run changes nothing");
    let long = forge.run(&["store", "gc", "--dry-run", "--all"]).success();
    assert_eq!(long.stdout.lines().count(), all.len());
    let real = forge.run(&["store", "gc"]).success().says("freed ");
    assert_eq!(real.stdout, plan.stdout);
    assert!(!all.iter().any(exists));
    let after = forge.run(&["build", "--offline", "--json", "kept", "old", "box"]).success().json();
    let status: Vec<_> =
        after.iter().map(|unit| (unit["name"].as_str().unwrap(), unit["status"].as_str().unwrap())).collect();
    assert!(
        status.contains(&("kept", "cached"))
            && status.contains(&("box", "cached"))
            && status.contains(&("old", "built")),
        "{status:?}"
    );
}

#[test]
fn a_quota_takes_downloads_first_and_then_the_least_recently_used() {
    let forge = project();
    let links = || forge.project().join("result");
    for name in ["box", "kept"] {
        fs::remove_file(links().join(name)).unwrap();
    }
    let total = |forge: &Forge| {
        let lines = forge.run(&["store", "du", "--json"]).success().json();
        lines.iter().find(|line| line["kind"] == "total").unwrap()["bytes"].as_u64().unwrap()
    };
    forge.run(&["store", "gc"]).success();
    let before = total(&forge);
    let less = forge.run(&["store", "gc", "--quota", &(before - 1).to_string()]).success();
    assert!(line(&less, "downloads for box: ").contains("over the quota"), "{}", less.stdout);
    assert_eq!(less.stdout.lines().count(), 1, "{}", less.stdout);
    sharded(&forge, "result").iter().for_each(|result| age(result, 1));
    forge.run(&["build", "--offline", "kept"]).success();
    fs::remove_file(links().join("kept")).unwrap();
    let quota = total(&forge) - 1;
    forge.run(&["store", "gc", "--quota", &quota.to_string()]).success();
    assert!(total(&forge) <= quota);
    forge.run(&["build", "--offline", "kept", "--json"]).success();
    let none = forge.run(&["store", "gc", "--quota", "1"]).success().says("more than the quota");
    assert!(!none.stdout.contains("kept"), "{}", none.stdout);
}

#[test]
fn what_others_keep_in_the_store_is_taken_when_old_or_left_over() {
    let forge = project();
    let pid = "4000000";
    let rows = [
        ("partial/ab", 8, Some("downloads that broke off: 1 file, not used for 8 days")),
        ("partial/ac", 1, None),
        ("log/ab", 40, Some("logs of failed steps: 1 file, not used for 40 days")),
        ("log/ac", 3, None),
        ("failed/ab", 0, Some("workspaces of failed steps: 1 file, kept only until the next gc")),
        ("quarantine/file-ab", 0, Some("damaged objects that were set aside: 1 file, damaged")),
    ];
    for (path, days, _) in rows {
        let path = forge.store().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "x".repeat(100)).unwrap();
        age(&path, days);
    }
    let left = [format!("index/paths-0123456789abcdef.{pid}"), format!("times.{pid}")];
    left.iter().for_each(|path| fs::write(forge.store().join(path), "left").unwrap());
    let gc = forge.run(&["store", "gc"]).success();
    for (path, _, words) in rows {
        assert!(words.is_none_or(|words| line(&gc, words).contains(words)));
        assert_eq!(forge.store().join(path).exists(), words.is_none(), "{path}");
    }
    line(&gc, "files that a killed process left: 2 files, never finished");
    assert!(left.iter().all(|path| !forge.store().join(path).exists()));
    assert!(forge.store().join("times").exists());
}

#[test]
fn a_link_that_is_gone_is_named_and_wrong_flags_are_explained() {
    let forge = project();
    let gc = forge.run(&["store", "gc", "--dry-run"]).success();
    let link = forge.project().join("result/old").display().to_string();
    assert!(line(&gc, "result links that are gone").contains(&link), "{}", gc.stdout);
    forge.run(&["store", "gc", "--quota", "lots"]).code(2).says("write a size such as 20GB");
    forge.run(&["store", "gc", "--older-than", "30"]).code(2).says("write an age such as 30d");
}

#[test]
fn du_adds_up() {
    let forge = project();
    fs::create_dir_all(forge.store().join("partial")).unwrap();
    fs::write(forge.store().join("partial/ab"), "x".repeat(1000)).unwrap();
    let lines = forge.run(&["store", "du", "--json"]).success().json();
    let (total, parts) = lines.split_last().unwrap();
    let own = |line: &serde_json::Value| line["own"].as_u64().unwrap();
    assert_eq!(parts.iter().map(own).sum::<u64>(), own(total));
    let find = |what: &str| parts.iter().find(|line| line["what"].as_str().unwrap().ends_with(what)).unwrap();
    assert_eq!(find("/result/kept")["kind"], "link");
    assert_eq!(own(find("broke off")), 1000);
    assert!(own(find("downloads that results were made of")) > 1_000_000);
    let words = forge.run(&["store", "du"]).success();
    assert!(line(&words, "/result/box").contains(" MB"), "{}", words.stdout);
    line(&words, "  in all");
}

/// An object of the store by its text.
fn object(forge: &Forge, text: &str) -> PathBuf {
    let name = Digest::of(text.as_bytes()).hex();
    forge.store().join("file").join(&name[..2]).join(name)
}

/// Changes a byte of a file and nothing that `ls` shows.
fn decay(path: &Path) {
    let time = path.metadata().unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    bytes[0] ^= 1;
    fs::write(path, bytes).unwrap();
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// The largest plain object of the store: a .deb that the toolroot was made of, or the largest file in it.
fn deb(forge: &Forge) -> PathBuf {
    let debs = sharded(forge, "file").into_iter().filter(|path| fs::read(path).unwrap().starts_with(b"!<arch>"));
    debs.max_by_key(|path| path.metadata().unwrap().len()).expect("a .deb")
}

#[test]
fn damage_that_shows_no_outward_sign_is_found_by_fsck_alone() {
    let forge = project().own_store();
    let (file, deb) = (object(&forge, "kept\n"), deb(&forge));
    [&file, &deb].into_iter().for_each(|path| decay(path));
    forge.run(&["build", "--offline", "kept"]).success();
    let fsck = forge.run(&["store", "fsck", "--json"]).code(1).says("findings").json();
    let of = |path: &Path| {
        let finding = fsck.iter().find(|line| path.ends_with(line["path"].as_str().unwrap())).expect("a finding");
        assert!(finding["words"].as_str().unwrap().contains("check the disk"), "{finding}");
        finding["of"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(of(&file), "kept");
    assert!(of(&deb).starts_with("box: download "), "{}", of(&deb));
    assert!(!file.exists() && !deb.exists());
    forge.run(&["store", "fsck"]).success();
    forge.run(&["build", "--offline", "kept"]).success();
    assert_eq!(fs::read_to_string(forge.project().join("result/kept/kept")).unwrap(), "kept\n");
}

#[test]
fn fsck_repairs_what_the_project_had() {
    let forge = project().own_store();
    forge.write(
        "recipes/src.toml",
        "toolroot = \"box\"\nsteps = [\"cp /src/s/s.txt /out/out\"]\n[sources]\ns = { path = [\"s.txt\"] }\n",
    );
    forge.write("recipes/s.txt", "a source\n");
    // A file that was just written is read again in the next run.
    std::thread::sleep(Duration::from_millis(100));
    forge.run(&["build", "--offline", "src"]).success();
    decay(&object(&forge, "kept\n"));
    fs::write(object(&forge, "a source\n"), "A SOURCE\n").unwrap();
    let fsck = forge.run(&["store", "fsck", "--repair", "--offline"]).success();
    assert!(fsck.stdout.contains("part of: kept"), "{}", fsck.stdout);
    assert!(fsck.stdout.contains("something wrote to it"), "{}", fsck.stdout);
    let fsck = fsck.says("made again: ").says("kept").says("src");
    assert!(!fsck.stderr.contains("old"), "it was not lost: {}", fsck.stderr);
    forge.run(&["store", "fsck"]).success().says("0 findings");
    let built = forge.run(&["build", "--offline", "--json", "kept", "src"]).success().json();
    assert!(built.iter().all(|unit| unit["status"] == "cached"), "{built:?}");
    forge.run(&["store", "fsck", "--repair", "--offline"]).success();
}

#[test]
fn a_lost_download_is_fetched_again() {
    let forge = project().own_store();
    let deb = deb(&forge);
    decay(&deb);
    forge.run(&["store", "fsck", "--repair"]).success().says("made again: box: fetch ");
    assert!(deb.exists());
    forge.run(&["store", "fsck"]).success();
}

#[test]
fn a_write_through_a_result_is_healed_and_named() {
    let forge = project().own_store();
    fs::write(forge.project().join("result/kept/kept"), "mine\n").unwrap();
    let build = forge.run(&["build", "--offline", "kept"]).success();
    build.says("something wrote to it after it was made, as one can through ./result").says("making it again");
    assert_eq!(fs::read_to_string(forge.project().join("result/kept/kept")).unwrap(), "kept\n");
}
