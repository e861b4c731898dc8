//! Recipes: what the user wrote, parsed, checked, and located.
//!
//! A recipe is a TOML file `<root>/<name>.toml` or `<root>/<name>/recipe.toml` in one of the six roots
//! `recipes kernel bpf extensions images charts`; `<name>` is the unit's name. References go to the same root or an
//! earlier one. `kind` says what it makes; without it the root decides: `cmd` in recipes/, `kernel` in kernel/, `bpf` in
//! bpf/, `extension` in extensions/, `image` in images/.
//!
//! ```toml
//! # recipes/debian.toml: an archive that packages come from. Not a unit; sources name it.
//! kind = "archive"
//! suite = "trixie"
//! components = ["main"]
//! architecture = "amd64"
//! fingerprints = ["0123456789ABCDEF0123456789ABCDEF01234567"]  # keys: recipes/keys/<FINGERPRINT>.asc
//! ```
//! ```toml
//! # recipes/gcc.toml: a root file system of .debs, in which commands run.
//! kind = "toolroot"
//! archive = "debian"
//! packages = ["gcc", "libc6-dev"]
//! essential = true                      # the default
//! trim = ["usr/share/doc"]              # paths left out; documentation and translations by default
//! ignore-alternatives = ["awk"]         # alternatives that `links` need not answer
//! [links]                               # what maintainer scripts would have linked
//! cc = "gcc"
//! ```
//! ```toml
//! # recipes/hello/recipe.toml: steps in a sandbox.
//! kind = "cmd"
//! description = "Says hello"
//! default = true                        # built when no name is given
//! unfree = false                        # true: made only with --allow-unfree, published never; not with `default = true`
//! toolroot = "gcc"
//! steps = ["gcc -O${level} -o /out/out/hello /src/src/hello.c -I/deps/zlib"]  # lines for `sh -eu`, run in /build
//! outputs = ["out"]                     # names below /out, the main one first
//! timeout-seconds = 600
//! [sources]                             # at /src/<name>
//! src = { path = ["*.c"], exclude = ["old.c"] }         # globs relative to the recipe's folder
//! etc = { path = ["*.yaml"], folder = "deploy/etc" }    # or to another one, in those of recipes or deploy/
//! data = { url = "https://example.org/data.tar.xz", unpack = true, strip = 1 }
//! tool = { supplied = "vendor-tool" }                   # a file that each user gives, also of units that are free
//! lib = { git = "https://example.org/lib.git", tag = "v1.2", update = "v1.*" }  # or commit, or branch
//! base = { oci = "docker.io/library/debian:13-slim" }   # an image as an OCI layout; or @sha256:…
//! linux = { archive = "debian", package = "linux-source-6.12", member = "usr/src/linux-source-6.12.tar.xz" }
//! [deps]                                # at /deps/<name>
//! zlib = "zlib:headers"
//! [env]
//! LEVEL = "${level}"
//! [vars]
//! level = "2"
//! [target.aarch64]                      # laid over the recipe for that architecture
//! timeout-seconds = 1200
//! [[matrix]]                            # one unit for each entry; a name that starts with `-` is put after the file's
//! name = "-o3"
//! vars = { level = "3" }
//! [tests.greets]                        # for `forge test`; any unit may have tests
//! steps = ["/deps/out/hello | grep -qx Hello"]   # each output is at /deps/<output>, the main one at /deps/<unit> too
//! toolroot = "gcc"                      # by default that of the unit; a toolroot is tested in itself
//! deps = { zlib = "zlib" }              # what else it needs; sources are at /src/<name> as in the build
//! env = { LEVEL = "${level}" }
//! timeout-seconds = 60
//! ```
//! ```toml
//! # bpf/filter.toml: C programs to BPF objects with BTF.
//! kind = "bpf"
//! toolroot = "clang"
//! programs = ["filter.bpf.c"]           # in the source `src`
//! cflags = ["-DLIMIT=64"]
//! cpu = "v3"                            # the default
//! license = "GPL"                       # what the objects must declare
//! sections = ["xdp.frags"]              # ELF sections that programs must stand in
//! [sources]
//! src = { path = ["*.c", "*.h"] }
//! [deps]
//! headers = "headers"
//! ```
//!
//! ```toml
//! # recipes/serve/recipe.toml: Rust programs, of a package or workspace with a Cargo.lock.
//! kind = "cargo"
//! toolroot = "gcc"                      # with cargo, cargo-auditable, rustc and perl
//! package = "serve"                     # the member of a workspace; the package at the top if there is none
//! bins = ["serve"]                      # programs, at /out/out/bin
//! lib = true                            # the shared library, at /out/out/lib
//! features = ["tls"]
//! default-features = false
//! target-cpu = "x86-64-v3"              # the default; never that of the builder
//! rustflags = ["-Cpanic=abort"]
//! patches = ["port.patch"]              # for the source `src`, with patch -p1
//! crate-patches = { time = ["fix.patch"] }              # for crates that Cargo.lock names
//! needed = ["libgcc_s.so.1"]            # the default, but for static programs: shared libraries beside glibc's; each is needed
//! glibc = "2.34"                        # the highest version of its symbols
//! [lock-patches]
//! time = "0.3.36"                       # moves Cargo.lock; `name@version` where it has several
//! [sources]
//! src = { crate = "serve", version = "1.2.3", update = "1.*" }    # or git, path, or url with `unpack`
//! [env]
//! CI_COMMIT = "0123456789abcdef0123456789abcdef01234567"
//! ```
//! ```toml
//! # recipes/plugin.toml: a library that a program of another unit loads, with which it shares Rust types.
//! kind = "cargo"
//! toolroot = "gcc"
//! lib = true
//! glibc = "2.34"
//! sources.src = { git = "https://example.org/plugin.git", tag = "v1" }
//! [abi]                                 # same toolroot and flags; same version, features and patches of each crate
//! host = "serve"
//! crates = ["serve-api", "own-api/serve-types"]         # `a/b` is `a` here and `b` there
//! waivers = { serve-api = "only a doc comment differs", "own-api/rand" = "adds a function" }  # versions; a feature
//! ```
//! ```toml
//! # recipes/node-args.toml: the command line of a program, judged by the table of its version (see `agave`).
//! kind = "arguments"
//! program = "agave-validator"           # solana-validator before 2.0; or solana-test-validator
//! version = "4.1.2"
//! [arguments]                           # the output: one argument or value a line, in the order of names
//! identity = "/keys/identity.json"
//! ledger = "${data}/ledger"
//! no-voting = true                      # without a value; `false` leaves out what an extended recipe says
//! dynamic-port-range = "8000-8050"
//! entrypoint = ["one.example.org:8001", "two.example.org:8001"]
//! [vars]
//! data = "/data"
//! ```
//! ```toml
//! # kernel/small.toml: a Linux kernel and its modules, configured by fragments. Its outputs: `out` (bzImage, System.map,
//! # config, release, cmdline), `modules`, `headers`, `debug` (vmlinux) and `report`, what became of each line.
//! kind = "kernel"
//! toolroot = "gcc"                      # with what Linux is built with
//! base = "tinyconfig"                   # a target of Linux' make that asks nothing, or a whole configuration: `base.config`
//! fragments = ["small.config"]          # files beside the recipe, each laid over those before it; every line must come true
//! patches = ["port.patch"]              # for the source `linux`, with patch -p1
//! localversion = "-small"               # how its release ends
//! certificate = "modules.pem"           # what signatures of modules must be good for; the build itself signs nothing
//! compiler = "gcc"                      # the default; or `clang`, with lld and LLVM's other tools
//! command-line = ["slab_nomerge", "pti=on", "quiet"]    # what it is to be started with
//! configure-only = false                # the default; true: only what comes before compiling, as `out` (config) and `report`
//! signing = "detached"                  # modules get kept signatures; or `dev`, with the public kernel/keys/dev.pem, for tests
//! signatures = "signatures"             # the default: the folder that `forge sign-modules` writes to, with `detached`
//! timeout-seconds = 14400               # for each step
//! [sources]
//! linux = { url = "https://example.org/linux-6.12.1.tar.xz", unpack = true, strip = 1 }
//! [waivers]                             # lines that are refused, or don't come true, and why they may stay
//! NR_CPUS = "no machine of ours has more"
//! [boot]                                # for `forge boot-test`; a test `boot` of the unit, in QEMU
//! toolroot = "gcc"                      # with qemu-system-x86 and squashfs-tools
//! probe = "serve"                       # its program is started first; the language of its checks is in recipes/boot-probe
//! devices = ["nvme", "igb"]             # or e1000e; their drivers are modules, which have to be signed
//! sysctls = { "net.ipv4.tcp_congestion_control" = "bbr" }    # can be written
//! files = { "/sys/kernel/mm/transparent_hugepage/enabled" = "[madvise]" }    # have that text
//! timeout-seconds = 300                 # the default
//! ```
//!
//! ```toml
//! # images/machine-config.toml: the configuration of machines that run Talos, a file for each node (see `talos::machine`).
//! kind = "machine"
//! version = "1.14.1"                    # of Talos
//! [sources]
//! config = { path = ["inventory.yaml", "1.14/*.yaml"], folder = "deploy/talos" }   # patches: for all, a role, a node
//! schema = { url = "https://example.org/v1.14.1/config.schema.json" }
//! ```
//!
//! ```toml
//! # images/server.toml: a container image, put together without running anything.
//! kind = "image"
//! archive = "debian"
//! packages = ["libssl3t64"]             # with all they need; essential packages only with `essential = true`
//! user = "server"                       # never root, unless `waivers.root` says why
//! entrypoint = ["/usr/bin/serve"]
//! command = ["--port", "8080"]
//! workdir = "/data"
//! ports = ["8080/tcp"]
//! stop-signal = "SIGINT"
//! layers = 12                           # the most there may be
//! compat = true                         # gzip in place of zstd
//! labels = { team = "edge" }
//! annotations = { "org.opencontainers.image.licenses" = "MIT" }
//! deps = { serve = "serve" }
//! sources.etc = { path = ["etc/*"] }
//! [users]
//! server = 10001                        # the number of the user and of its group
//! [files]                               # absolute place = "deps/<name>/<path>" or "src/<name>/<path>"
//! "/usr/bin/serve" = "deps/serve/bin/serve"
//! "/etc/serve" = "src/etc/etc"
//! [directories]
//! "/data" = { owner = "server", mode = "0750" }
//! [attributes]                          # of what packages and files bring; a mode makes a source's file a program
//! "/usr/bin/serve" = { capabilities = ["cap_net_bind_service"] }
//! [env]
//! LANG = "C.UTF-8"
//! [waivers]
//! shell = "its health check is a script"
//! [tests.answers]                       # its program runs beside the steps, in its own file system, on the same localhost
//! toolroot = "gcc"
//! entrypoint = ["/usr/bin/serve"]       # by default its own; `[]` starts nothing
//! arguments = ["--port", "9090"]        # by default its `command`; it may write to directories that its user owns
//! steps = ["curl --fail --retry 9 --retry-connrefused http://127.0.0.1:9090/health"]
//! ```
//! ```toml
//! # extensions/tuning.toml: a system extension of Talos, an image of one layer that its imager takes.
//! kind = "extension"
//! description = "Rules for disks, and a guard"          # in the manifest too, as is the unit's name
//! talos = "1.10"                        # by whose rules it is judged: `talos::extension`; or `1.10.3`
//! version = "1.0.0"
//! author = "edge team"
//! compatibility = ">= v1.10.0"          # the default: from `talos` on
//! architecture = "amd64"                # the default; or arm64
//! deps = { serve = "serve" }
//! sources.rules = { path = ["*.rules"] }
//! [files]                               # as of an image; Talos takes files in few places
//! "/usr/lib/udev/rules.d/60-disks.rules" = "src/rules/60-disks.rules"
//! [services.guard]                      # run as `ext-guard`, on the host's network and with all capabilities
//! root = "deps/serve"                   # its file system, put to /usr/local/lib/containers/guard
//! entrypoint = "/bin/serve"             # a program in it
//! args = ["--port", "8080"]
//! env = { LANG = "C.UTF-8" }
//! env-file = "/var/etc/guard.env"       # of the host; waited for
//! restart = "always"                    # the default; never, untilSuccess
//! log-to-console = true
//! depends = [{ network = ["addresses"] }, { path = "/run/x" }, { service = "cri" }, { time = true }, { configuration = true }]
//! mounts = [{ source = "/sys/fs/bpf", destination = "/sys/fs/bpf", options = ["rbind", "rw"] }]  # type = "bind"
//! writeable-sysfs = true
//! writeable-rootfs = true
//! masked-paths = []                     # in place of the usual; readonly-paths too
//! ```
//!
//! ```toml
//! # images/installer.toml: all that a machine boots Talos from, with a kernel of ours.
//! kind = "installer"
//! on-demand = true                      # of any kind: locked only by `forge lock --update installer`, and else left out
//! talos = "1.10.3"
//! toolroot = "gcc"                      # with squashfs-tools
//! kernel = "small"                      # a unit of kind `kernel`
//! extensions = ["tuning"]               # units of kind `extension`, the lowest layer first
//! command-line = ["console=ttyS0", "-selinux"]          # laid over those of Talos and of the kernel; `-` leaves one out
//! timeout-seconds = 600
//! [sources]
//! base = { oci = "ghcr.io/siderolabs/installer-base:v1.10.3" }      # what the installer is put on
//! imager = { oci = "ghcr.io/siderolabs/imager:v1.10.3" }            # initramfs, stub and boot manager are taken out
//! [boot]                                # for `forge boot-test`: each form is started until its console shows this
//! toolroot = "gcc"                      # with QEMU, OVMF and zstd
//! expect = ["[talos] "]
//! timeout-seconds = 900                 # the default, for all forms together
//! ```
//!
//! `extends = "base"` starts from another recipe, usually one with `abstract = true`: tables merge, arrays append,
//! anything else is replaced; `abstract`, `extends` and `matrix` are not passed on. `${name}` stands for a declared
//! variable in steps, env, urls, tags, versions, packages, flags, links and arguments; `$${` for a plain `${`. There is nothing else to learn:
//! no conditions, no expressions.
//!
//! All errors of all files are reported in one go, each with file, line and caret. [`parse`] is pure; [`load`] reads
//! the files first.

mod arguments;
mod beside;
mod book;
mod boot;
mod capability;
mod cargo;
mod container;
mod crossing;
mod diagnostic;
mod extension;
mod field;
mod files;
mod form;
mod given;
mod graph;
mod image;
mod installer;
mod input;
mod kernel;
mod linux;
mod machine;
mod model;
mod part;
mod place;
mod raw;
mod root;
mod schema;
mod signing;
mod source;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod unit;
mod vars;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub use boot::{Boot, Device};
pub use capability::capability;
pub use container::{Attributes, Compression, Config, Image, Origin, Waivers};
pub use diagnostic::Diagnostic;
pub(crate) use diagnostic::{Fault, locate};
pub use extension::Extension;
pub use installer::{Installer, Start};
pub use linux::{Base, Compiler, Kernel};
pub use model::{
    Abi, Arguments, Bpf, Build, Cargo, Cmd, DEBUG, LinkRules, Machine, OUTPUT, Project, Recipe, Reference, Test,
    Toolroot, Unlocked,
};
pub use place::{Item, Place, Places};
pub use root::{Root, Target};
pub use schema::schema;
pub use signing::Signing;
pub use source::{Archive, Closure, Crossing, Published, Rev, Source, Unpack};
pub use unit::DEFAULT_TIMEOUT;

use crate::path::{Name, RelPath};
use book::{Book, Page};
use form::Form;
use graph::Graph;
use input::Archives;
use text::{Span, Texts};
use unit::{Draft, Unit};
use vars::Vars;

/// The source that the packages of a toolroot or an image stand in.
pub const DEBS: &str = "debs";

/// The file that pins the crates of a Rust workspace.
pub const CARGO_LOCK: &str = "Cargo.lock";

/// Reads every recipe below the six roots of `project`, for the default target.
///
/// # Errors
/// Every error of every file, in the order of files and lines.
pub fn load(project: &Path) -> Result<Project, Vec<Diagnostic>> {
    let mut recipes = parse(files::read(project)?, Target::default())?;
    beside::look(project, &mut recipes);
    Ok(recipes)
}

/// Reads the recipes that a question names in one of `texts`, all that these need, and maybe more: in a large project
/// a small part. A unit that [`load`] finds and this does not is named in no text.
///
/// # Errors
/// Those of [`load`], if a recipe of the part has a fault; what is wrong elsewhere is not looked for.
pub fn load_part(project: &Path, texts: &[&str]) -> Result<Project, Vec<Diagnostic>> {
    let files = files::read(project)?;
    let part = parse(part::part(&files, texts), Target::default());
    let mut recipes = part.or_else(|_| parse(files, Target::default()))?;
    beside::look(project, &mut recipes);
    Ok(recipes)
}

/// Reads recipe files (path relative to the project, text). Any text gives a project or errors, never a panic.
///
/// # Errors
/// Every error of every file, in the order of files and lines.
pub fn parse(files: Vec<(RelPath, String)>, target: Target) -> Result<Project, Vec<Diagnostic>> {
    let texts = Texts::new(files);
    let mut faults = Vec::new();
    let mut book = Book::read(&texts, target, &mut faults);
    let pages = book.pages(&mut faults);
    let graph = graph(&book, &pages, &texts, &mut faults);
    graph.check(&mut faults);
    if !faults.is_empty() {
        return Err(locate(faults, &texts));
    }
    let sound = |(name, unit): (Name, Unit)| {
        let recipe = unit.recipe.expect("BUG: a unit without faults or recipe");
        let archives: BTreeSet<&Name> = recipe.sources.values().filter_map(Source::archive).map(|a| &a.name).collect();
        let archives = archives.into_iter().filter_map(|name| book.file(name)).cloned();
        let bases = recipe.bases.iter().cloned().chain(archives).collect();
        (name, Recipe { bases, places: place::places(unit.spans, &texts), ..recipe })
    };
    let mut units = graph.units.into_iter().map(sound).collect();
    crossing::mark(&mut units, target);
    Ok(Project { units, unlocked: BTreeMap::new() })
}

fn graph(book: &Book<'_>, pages: &[Page<'_>], texts: &Texts, faults: &mut Vec<Fault>) -> Graph {
    let (archives, pages): (Vec<_>, Vec<_>) = pages.iter().partition(|page| page.form == Form::Archive);
    let archives: Archives =
        archives.into_iter().map(|page| (page.name.clone(), unit::archive(page, faults))).collect();
    let mut units = BTreeMap::<Name, Unit>::new();
    for page in &pages {
        for (name, at, vars) in members(page, texts, faults) {
            let unit = Draft::new(page, &vars, &archives, faults).unit(name.clone(), at.clone());
            if let Some(first) = units.get(&name) {
                let fault = Fault::new(at, format!("a second unit has the name `{name}`")).label("this one");
                faults.push(fault.also(first.at.clone(), "the other one").help("rename one of them"));
            } else {
                units.insert(name, unit);
            }
        }
    }
    let others = book.names().filter(|(name, _)| !units.contains_key(*name));
    let others = others.map(|(name, concrete)| (name.clone(), reason(name, concrete, &archives, &pages))).collect();
    Graph { units, others }
}

/// The units of a recipe: itself, or the entries of its matrix.
fn members<'a>(page: &'a Page<'_>, texts: &'a Texts, faults: &mut Vec<Fault>) -> Vec<(Name, Span, Vars<'a>)> {
    let raw = &page.raw;
    if raw.matrix.is_empty() {
        return vec![(page.name.clone(), page.at.clone(), Vars::new(&raw.vars, None, texts))];
    }
    let mut members = Vec::new();
    for entry in &raw.matrix {
        match member_name(&page.name, &entry.name) {
            Ok(name) => members.push((name, entry.name.span(), Vars::new(&raw.vars, Some(&entry.vars), texts))),
            Err(error) => {
                let fault = Fault::new(entry.name.span(), error.to_string());
                faults.push(fault.help("write a name, or `-` and what to put after the recipe's name"));
            }
        }
    }
    members
}

fn member_name(recipe: &Name, entry: &str) -> Result<Name, crate::path::PathError> {
    Name::new(if entry.starts_with('-') { format!("{recipe}{entry}") } else { entry.to_owned() })
}

/// Why a recipe of that name has no unit of that name; nothing if it has faults.
fn reason(name: &Name, concrete: bool, archives: &Archives, pages: &[&Page<'_>]) -> Option<String> {
    if !concrete {
        return Some(format!("`{name}` is abstract: it is there to be extended"));
    }
    if archives.contains_key(name) {
        return Some(format!("`{name}` is an archive: name it by `archive` in a source or toolroot"));
    }
    let page = pages.iter().find(|page| page.name == *name)?;
    let members: Vec<_> =
        page.raw.matrix.iter().filter_map(|entry| member_name(name, &entry.name).ok()).map(|n| n.to_string()).collect();
    Some(format!("`{name}` has a matrix; name one of its units: {}", members.join(", ")))
}
