//! The same digests wherever, by whomever and however something is built.

use std::collections::BTreeMap;
use std::process::Command;

use tempfile::TempDir;

use crate::support::{FORGE, Forge, Run, boxed};

/// Compresses (with the name and time of the file), sorts, lists, and looks at its inputs with stat.
const PACK: &str = r#"
toolroot = "box"
outputs = ["packed", "listed"]
steps = [
  "cd /src/src; gzip -c a.txt > /out/packed; cat a.txt sub/B.txt | sort >> /out/packed",
  "mkdir /out/listed; cd /src; ls -AR . > /out/listed/names; find . | sort > /out/listed/found",
  "find /src /deps /etc -type f -printf '%M %u %g %U %G %s %T@ %p %l\n' | sort > /out/listed/files",
  "find /src /deps /usr/bin -type d -exec stat -c '%A %u %g %Y %n' {} + | sort > /out/listed/folders",
  "cp -r /src/src/sub /out/listed/copy; ln -s names /out/listed/link; chmod 700 /out/listed/names",
]
[sources]
src = { path = ["a.txt", "sub/**"] }
[deps]
facts = "facts"
"#;

/// What a process can read off its world.
const FACTS: &str = r#"
toolroot = "box"
steps = [
  "{ env | sort; id; umask; umask -S; pwd; ulimit -a; date -d @0; uname -n; uname -m; ls /dev /proc/self/fd; } > /out/out",
  "readlink /proc/self/fd/0 >> /out/out; stat -c '%A %u %g %n' / /build /out /tmp /src /deps >> /out/out",
]
"#;

/// Where and how something is built.
struct World {
    /// The folder below which checkout and store lie: a disk or memory.
    below: &'static str,
    /// The checkout's folder.
    checkout: &'static str,
    umask: &'static str,
    jobs: &'static str,
    zone: &'static str,
    language: &'static str,
    /// The current folder.
    cwd: &'static str,
    /// The user; by default the one who runs the test.
    user: Option<u32>,
}

const HOME: World = World {
    below: env!("CARGO_TARGET_TMPDIR"),
    checkout: "project",
    umask: "022",
    jobs: "-j2",
    zone: "UTC",
    language: "C",
    cwd: "/",
    user: None,
};

/// Debian's `nobody`; any user without rights will do.
const NOBODY: u32 = 65534;

/// Lays a copy of the project and of the store into `folder`, as `user`'s and under this umask; then runs forge there.
const SCRIPT: &str = r#"
umask "$1"; folder=$2; project=$3; store=$4; checkout=$5; user=$6; shift 6
mkdir -p "$folder/a b/c"; cp -r "$project" "$folder/a b/$checkout"; cp -a "$store" "$folder/store"
cp "$FORGE" "$folder/forge"
if [ "$user" = 0 ]; then
  set -- unshare --user --map-root-user "$folder/forge" -C "$folder/a b/$checkout" "$@"
elif [ -n "$user" ]; then
  chown -R "$user:$user" "$folder"
  set -- setpriv --reuid "$user" --regid "$user" --clear-groups "$folder/forge" -C "$folder/a b/$checkout" "$@"
else
  set -- "$folder/forge" -C "$folder/a b/$checkout" "$@"
fi
exec "$@"
"#;

/// Builds all units of `forge`'s project in `world`: keys and digests by unit and output.
fn build(forge: &Forge, world: &World) -> BTreeMap<String, String> {
    let folder = TempDir::new_in(world.below).unwrap();
    let user = world.user.map_or_else(String::new, |user| user.to_string());
    let mut command = Command::new("sh");
    command.args(["-euc", SCRIPT, "sh", world.umask]).arg(folder.path()).arg(forge.project()).arg(forge.store());
    command.args([world.checkout, &user, "build", "--json", "--all", "--rebuild", "--offline", world.jobs]);
    let args = ["box", "facts", "pack"];
    command.args(args).current_dir(world.cwd).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("FORGE", FORGE).env("FORGE_STORE", folder.path().join("store")).env("HOME", folder.path());
    command.env("TZ", world.zone).env("LC_ALL", world.language).env("LANG", world.language);
    let run = Run::of(command.output().unwrap(), &args).success();
    let mut digests = BTreeMap::new();
    for line in run.json() {
        assert_eq!(line["status"], "built", "{line}");
        digests.insert(line["name"].to_string(), line["derivation"].to_string());
        for output in line["outputs"].as_array().unwrap() {
            digests.insert(format!("{}:{}", line["name"], output["name"]), output["digest"].to_string());
        }
    }
    digests
}

#[test]
fn the_same_digests_everywhere() {
    let forge = boxed::forge();
    forge.write("recipes/pack.toml", PACK).write("recipes/facts.toml", FACTS);
    forge.write("recipes/a.txt", "b\na\nB\nÄ\n").write("recipes/sub/B.txt", "1\n").write("recipes/sub/a.txt", "2\n");
    let home = build(&forge, &HOME);
    assert_eq!(home.len(), 3 + 4, "{home:?}");
    // Root builds once more as a user without rights; such a user as the root of a namespace of its own.
    let other = Some(if rustix::process::geteuid().is_root() { NOBODY } else { 0 });
    let worlds = [
        ("in memory", World { below: "/dev/shm", ..HOME }),
        ("another user", World { user: other, below: "/tmp", ..HOME }),
        ("another checkout", World { checkout: "c/d é", cwd: "/usr", ..HOME }),
        ("one job, private umask", World { umask: "077", jobs: "-j1", ..HOME }),
        ("another zone and language", World { zone: "Asia/Tokyo", language: "tr_TR.UTF-8", ..HOME }),
        (
            "everything at once",
            World {
                below: "/dev/shm",
                checkout: "x",
                umask: "077",
                jobs: "-j1",
                zone: "America/Caracas",
                language: "de_DE",
                cwd: "/dev",
                user: other,
            },
        ),
    ];
    for (what, world) in worlds {
        assert_eq!(build(&forge, &world), home, "{what}");
    }
}
