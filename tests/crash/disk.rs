//! The disk of the store is full.

use std::fs;
use std::process::Command;

use super::{Digests, digests, project, recovers};
use crate::support::{Forge, Run, boxed};

/// How much room the store's file system leaves, and what each unit writes.
const ROOM_MB: u64 = 24;
const WRITTEN_MB: u64 = 40;

/// Runs `build` with the store on a small file system, then again on a larger one, then fsck.
/// Arguments: the store, its size in MB, the larger size, a folder for what was said, forge….
const SCRIPT: &str = r#"
set -eu
store=$1 small=$2 large=$3 said=$4
shift 4
run() {
  name=$1
  shift
  "$@" > "$said/$name.out" 2> "$said/$name.err" && code=0 || code=$?
  echo "$code" > "$said/$name.code"
}
mkdir "$said/disk"
mount -t tmpfs -o "size=${small}m,mode=0755" none "$said/disk"
cp -a "$store/." "$said/disk"
mount --bind "$said/disk" "$store"
run small "$@"
mount -o "remount,size=${large}m" "$store"
run large "$@"
run fsck "$1" store fsck
"#;

/// A project with a unit that fills `/out`, one that fills the log, and one with a large source.
fn large() -> Forge {
    let forge = project(boxed::forge());
    let bytes = WRITTEN_MB << 20;
    let unit = |name: &str, step: &str, rest: &str| {
        forge.write(&format!("recipes/{name}.toml"), &format!("toolroot = \"box\"\nsteps = [\"{step}\"]\n{rest}"));
    };
    unit("out", &format!("head -c {bytes} /dev/zero > /out/out"), "");
    unit("log", &format!("head -c {bytes} /dev/zero | tr '\\\\0' 'x'; echo fine > /out/out"), "");
    unit("source", "wc -c < /src/src/large > /out/out", "[sources]\nsrc = { path = [\"large\"] }\n");
    let large = fs::File::create(forge.project().join("recipes/large")).unwrap();
    large.set_len(bytes).unwrap();
    forge
}

/// Builds `unit` on a full disk, then on a larger one.
fn squeezed(forge: &Forge, unit: &str) -> (Run, Run, Run) {
    let said = tempfile::tempdir().unwrap();
    let du = Command::new("du").args(["-sm", "--"]).arg(forge.store()).output().unwrap();
    let used: u64 = String::from_utf8(du.stdout).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let build = forge.command(&["build", "--offline", "--json", unit]);
    let mut command = Command::new("unshare");
    command.args(["-Urm", "--", "sh", "-c", SCRIPT, "sh"]).arg(forge.store());
    command.args([(used + ROOM_MB).to_string(), (used + ROOM_MB + 3 * WRITTEN_MB).to_string()]);
    command.arg(said.path()).arg(build.get_program()).args(build.get_args()).env_clear();
    command.envs(build.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(said.path().join(name)).unwrap();
    let run = |name: &str| {
        let code = read(&format!("{name}.code")).trim().parse().unwrap();
        Run::was(code, read(&format!("{name}.out")), read(&format!("{name}.err")), name)
    };
    (run("small"), run("large"), run("fsck"))
}

#[test]
fn a_full_disk_is_named_and_costs_nothing() {
    for unit in ["out", "log", "source"] {
        let forge = large();
        let (small, large, fsck) = squeezed(&forge, unit);
        small.code(3).says("is full").says("forge store gc").says(forge.store().to_str().unwrap());
        fsck.success();
        let want: Digests = digests(&forge.run(&["build", "--offline", "--json", unit]).success());
        assert_eq!(digests(&large.success()), want, "{unit}");
        recovers(&forge, unit);
    }
}
