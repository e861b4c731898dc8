//! The fields of recipe files, as written: what serde reads, and what the JSON Schema is made from.
//!
//! Every field may be missing here, as a recipe may get it from another one by `extends`.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Target;
use super::given::Given;
use super::text::Span;

/// A value and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(super) struct At<T>(Spanned<T>);

impl<T> At<T> {
    pub(super) fn new(span: Span, value: T) -> Self {
        Self(Spanned::new(span, value))
    }

    pub(super) fn span(&self) -> Span {
        self.0.span()
    }
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.get_ref()
    }
}

impl Borrow<str> for At<String> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<T>()
    }
}

/// A list of texts with their places.
pub(super) type Texts = Vec<At<String>>;
/// A table of texts with their places.
pub(super) type Table = BTreeMap<At<String>, At<String>>;

/// A recipe of forge: what to build, from which sources, with which tools.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Raw {
    /// What this recipe makes; the folder gives the default (`cmd` in recipes/, `bpf` in bpf/).
    pub(super) kind: Option<At<String>>,
    /// The recipe whose fields this one starts from: tables merge, arrays append, anything else is replaced.
    pub(super) extends: Option<At<String>>,
    /// Only there to be extended; makes no unit.
    pub(super) r#abstract: Option<At<bool>>,
    /// One line for `forge list`.
    pub(super) description: Option<String>,
    /// Built when no name is given.
    pub(super) default: Option<bool>,
    /// Not free software: needs an explicit opt-in and is never pushed to a public registry.
    pub(super) unfree: Option<bool>,
    /// Whether what the unit takes from outside, but for packages, is locked only for who names it: `forge lock --update NAME`.
    pub(super) on_demand: Option<bool>,
    /// Values for `${name}` in steps, env, urls, tags, packages, cflags, links and arguments.
    pub(super) vars: Table,
    /// One unit for each entry.
    pub(super) matrix: Vec<At<Entry>>,
    /// Laid over the recipe when building for that architecture.
    pub(super) target: Option<At<BTreeMap<Target, Raw>>>,

    /// The archive (a recipe of kind `archive`) that the packages come from.
    pub(super) archive: Option<At<String>>,
    /// Debian packages to install, with all they depend on.
    pub(super) packages: Texts,
    /// Whether the archive's essential packages belong to the set; they do by default.
    pub(super) essential: Option<bool>,
    /// Symlinks that maintainer scripts would have made: name in /usr/bin, or absolute path, to target.
    pub(super) links: Table,
    /// Paths left out of the tree; documentation, man pages and translations by default.
    pub(super) trim: Option<Texts>,
    /// Alternatives that `links` need not answer.
    pub(super) ignore_alternatives: Vec<String>,

    /// The archive's suite, such as `trixie`.
    pub(super) suite: Option<At<String>>,
    /// The archive's components, such as `main`.
    pub(super) components: Texts,
    /// The archive's architecture, or an extension's, such as `amd64`.
    pub(super) architecture: Option<At<String>>,
    /// Fingerprints of the primary keys of which one must have signed, 40 hex digits each.
    pub(super) fingerprints: Texts,

    /// The unit of kind `toolroot` in which the commands run.
    pub(super) toolroot: Option<At<String>>,
    /// Inputs from outside, at /src/<name>.
    pub(super) sources: BTreeMap<At<String>, At<Input>>,
    /// Outputs of other units, at /deps/<name>: `unit` or `unit:output`.
    pub(super) deps: Table,
    /// Environment variables of the steps.
    pub(super) env: Table,
    /// Lines for `sh -eu`, each a process of its own, run in /build.
    pub(super) steps: Texts,
    /// Names below /out, the main one first; `out` by default.
    pub(super) outputs: Option<At<Texts>>,
    /// How long all steps together may take.
    pub(super) timeout_seconds: Option<At<u64>>,

    /// Tests of what the unit makes, by name; `forge test` runs them.
    pub(super) tests: BTreeMap<At<String>, Test>,

    /// C files in the source `src`, each of which becomes an object.
    pub(super) programs: Texts,
    /// More flags for clang.
    pub(super) cflags: Texts,
    /// The BPF instruction set: `v3` by default.
    pub(super) cpu: Option<At<String>>,
    /// The licence that the objects must declare.
    pub(super) license: Option<At<String>>,
    /// ELF sections that programs must stand in, such as `xdp.frags`.
    pub(super) sections: Texts,

    /// The member of the workspace in the source `src` that is built.
    pub(super) package: Option<At<String>>,
    /// Programs of the package that are wanted.
    pub(super) bins: Texts,
    /// Whether the package's shared library is wanted.
    pub(super) lib: Option<bool>,
    /// Features of the package.
    pub(super) features: Texts,
    /// Whether the package's default features are on; they are by default.
    pub(super) default_features: Option<bool>,
    /// The processor that code is made for: `x86-64-v3` by default.
    pub(super) target_cpu: Option<At<String>>,
    /// More flags for rustc.
    pub(super) rustflags: Texts,
    /// Versions that packages in Cargo.lock (`name`, or `name@version`) are moved to, in the order in which they are written.
    pub(super) lock_patches: Table,
    /// Patch files for the source `src` (of a kernel: `linux`), in their order, relative to the recipe's folder.
    pub(super) patches: Texts,
    /// Patches of crates that Cargo.lock names, by crate (`name@version` where there are several).
    pub(super) crate_patches: BTreeMap<At<String>, Texts>,
    /// The shared libraries, beside glibc's, that the results need, by soname; by default `libgcc_s.so.1`, and none
    /// with `-Ctarget-feature=+crt-static` among `rustflags`.
    pub(super) needed: Texts,
    /// The highest version of glibc's symbols that the results may use.
    pub(super) glibc: Option<At<String>>,
    /// That the library is loaded by a program of another unit, with which it shares Rust types.
    pub(super) abi: Option<At<Abi>>,

    /// The program that the arguments are for: `agave-validator`, or `solana-validator` before 2.0, or `solana-test-validator`.
    pub(super) program: Option<At<String>>,
    /// Its version, in full; or that of an extension.
    /// Its version, in full; of a machine, that of Talos.
    pub(super) version: Option<At<String>>,
    /// Its arguments by name, without the dashes: a value, a list of values, or `true`.
    pub(super) arguments: BTreeMap<At<String>, At<Given>>,

    /// Files and folders of an image or an extension: their absolute place, and where they come from
    /// (`deps/<name>/<path>` or `src/<name>/<path>`).
    pub(super) files: Table,
    /// Users of an image beside root and nobody: the number of each, and of its group.
    pub(super) users: BTreeMap<At<String>, At<u32>>,
    /// Directories of an image that nothing else brings, by absolute place.
    pub(super) directories: BTreeMap<At<String>, At<Attributes>>,
    /// Owner, mode and capabilities of files of an image, by absolute place.
    pub(super) attributes: BTreeMap<At<String>, At<Attributes>>,
    /// The user that an image runs as: a name of `users`, or `number:number`.
    pub(super) user: Option<At<String>>,
    /// The program of an image, by absolute place, and its first arguments.
    pub(super) entrypoint: Texts,
    /// Arguments of an image that who runs it may replace.
    pub(super) command: Texts,
    /// The folder that an image starts in, by absolute place.
    pub(super) workdir: Option<At<String>>,
    /// Labels of an image.
    pub(super) labels: Table,
    /// Annotations of an image's manifest.
    pub(super) annotations: Table,
    /// Ports that an image listens on: `8899/tcp`.
    pub(super) ports: Texts,
    /// The signal that ends an image: `SIGINT`; SIGTERM if there is none.
    pub(super) stop_signal: Option<At<String>>,
    /// The most layers that an image may have.
    pub(super) layers: Option<At<u64>>,
    /// Compress layers with gzip, for tools that can't read zstd.
    pub(super) compat: Option<bool>,
    /// What is let pass, and why: of an image `root` or `shell`, which a good one has not; of a kernel a symbol, of which
    /// its fragments ask what is refused or does not come true.
    pub(super) waivers: Table,

    /// What a kernel's configuration starts from: a target of Linux' make such as `tinyconfig`, or a file beside the recipe.
    pub(super) base: Option<At<String>>,
    /// Fragments of a kernel's configuration, each laid over those before it, relative to the recipe's folder.
    pub(super) fragments: Texts,
    /// What a kernel's release ends with, as `-forge-talos`.
    pub(super) localversion: Option<At<String>>,
    /// The certificate that a kernel's modules must be signed for, relative to the recipe's folder.
    pub(super) certificate: Option<At<String>>,
    /// What a kernel is compiled with: `gcc`, the default, or `clang`.
    pub(super) compiler: Option<At<String>>,
    /// The arguments that a kernel is to be started with.
    pub(super) command_line: Texts,
    /// Only configure a kernel, and judge that.
    pub(super) configure_only: Option<bool>,
    /// By whom a kernel's modules are signed: `dev`, with the published key `kernel/keys/dev.pem`, which is for tests; or
    /// `detached`, with signatures that are kept. They stay unsigned by default.
    pub(super) signing: Option<At<String>>,
    /// The folder of kept signatures, relative to the recipe's: `signatures` by default.
    pub(super) signatures: Option<At<String>>,
    /// How a kernel or an installer is tried in a virtual machine.
    pub(super) boot: Option<At<Boot>>,
    /// The version of Talos by whose rules an extension is judged, or of an installer: `1.10`, or `1.10.3`.
    pub(super) talos: Option<At<String>>,
    /// The unit with the kernel of an installer.
    pub(super) kernel: Option<At<String>>,
    /// The extensions in an installer, the lowest layer first.
    pub(super) extensions: Texts,
    /// Who made an extension.
    pub(super) author: Option<At<String>>,
    /// The versions of Talos that an extension is for, as a range: `>= v1.10.0`.
    pub(super) compatibility: Option<At<String>>,
    /// Services of an extension, by name; Talos runs each as `ext-<name>`.
    pub(super) services: BTreeMap<At<String>, Service>,
}

/// A service of an extension: a container with the host's network and all capabilities.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Service {
    /// Its file system: `deps/<name>/<path>` or `src/<name>/<path>`; without it `files` brings it, to
    /// /usr/local/lib/containers/<service>.
    pub(super) root: Option<At<String>>,
    /// Its program, by its place in that file system.
    pub(super) entrypoint: Option<At<String>>,
    /// What the program is started with.
    pub(super) args: Texts,
    /// Environment variables.
    pub(super) env: Table,
    /// A file of the host with more of them; the service waits until it is there.
    pub(super) env_file: Option<At<String>>,
    /// When it is started again: `always`, the default, `never` or `untilSuccess`.
    pub(super) restart: Option<At<String>>,
    /// Whether its log goes to the console too.
    pub(super) log_to_console: bool,
    /// What must be there before, one thing each.
    pub(super) depends: Vec<At<Dependency>>,
    /// What of the host it sees.
    pub(super) mounts: Vec<At<Mount>>,
    /// Whether it may write to /sys.
    pub(super) writeable_sysfs: bool,
    /// Whether it may write to its file system; what it writes is gone when it is started again.
    pub(super) writeable_rootfs: bool,
    /// Paths that it does not see, in place of the usual ones.
    pub(super) masked_paths: Option<Texts>,
    /// Paths that it may only read, in place of the usual ones.
    pub(super) readonly_paths: Option<Texts>,
}

/// What must be there before a service starts: exactly one of these.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dependency {
    /// A service that runs.
    pub(super) service: Option<At<String>>,
    /// A file or folder of the host, by absolute place.
    pub(super) path: Option<At<String>>,
    /// What of the network is up: `addresses`, `connectivity`, `hostname`, `etcfiles`.
    pub(super) network: Texts,
    /// The clock is right.
    pub(super) time: bool,
    /// The machine configuration has an `ExtensionServiceConfig` for the service.
    pub(super) configuration: bool,
}

/// A mount of a service.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mount {
    /// The place on the host; Talos makes a folder of one that is missing.
    pub(super) source: Option<At<String>>,
    /// The place in the service's file system.
    pub(super) destination: Option<At<String>>,
    /// Its kind; `bind` by default.
    pub(super) r#type: Option<At<String>>,
    /// Its options: `rbind`, `rw`.
    pub(super) options: Texts,
}

/// How a kernel or an installer is tried in a virtual machine; `forge boot-test` and `forge test` do so.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Boot {
    /// The unit of kind `toolroot` with QEMU; for kernels squashfs-tools too, for installers OVMF and zstd.
    pub(super) toolroot: Option<At<String>>,
    /// The unit whose program is started first and checks a kernel from inside.
    pub(super) probe: Option<At<String>>,
    /// Devices that the machine has, whose drivers are modules: `nvme`, `igb`, `e1000e`.
    pub(super) devices: Texts,
    /// Values, by the name of the sysctl, that can be written.
    pub(super) sysctls: Table,
    /// Texts that the console must show, of an installer.
    pub(super) expect: Texts,
    /// Texts, by the absolute path of the file that must have it.
    pub(super) files: Table,
    /// How long it may take; 300 by default.
    pub(super) timeout_seconds: Option<At<u64>>,
}

/// What a file of an image has that is not as usual.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Attributes {
    /// Its user and group: a name of `users`, or `number:number`; root by default.
    pub(super) owner: Option<At<String>>,
    /// Its mode, as `0750`.
    pub(super) mode: Option<At<String>>,
    /// Its capabilities, permitted and effective: `cap_net_raw`.
    pub(super) capabilities: Texts,
}

/// What a plugin must have in common with the program that loads it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Abi {
    /// The unit of kind `cargo` with that program.
    pub(super) host: Option<At<String>>,
    /// Crates whose types cross the boundary; `a/b` is `a` here and `b` there.
    pub(super) crates: Texts,
    /// Differences that are let pass, and why: of versions by `crate`, of a feature by `crate/feature`.
    pub(super) waivers: Table,
}

/// One unit of a matrix.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The unit's name; one that starts with `-` is put after the recipe's name.
    pub(super) name: At<String>,
    /// Values for `${name}`, over those of the recipe.
    #[serde(default)]
    pub(super) vars: Table,
}

/// A test of what the unit makes, which is at /deps/<unit>, each output at /deps/<output> too.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct Test {
    /// Lines for `sh -eu`, each a process of its own, run in /build; the test fails with the first that fails.
    pub(super) steps: Texts,
    /// The unit of kind `toolroot` in which they run; by default the one that the unit is built in.
    pub(super) toolroot: Option<At<String>>,
    /// Outputs of other units, at /deps/<name>: `unit` or `unit:output`.
    pub(super) deps: Table,
    /// Of an image: the program of it that is started beside the steps, `[]` for none; its `entrypoint` by default.
    pub(super) entrypoint: Option<At<Texts>>,
    /// Of an image: what that program is started with; the image's `command` by default.
    pub(super) arguments: Option<At<Texts>>,
    /// Environment variables of the steps.
    pub(super) env: Table,
    /// How long all steps together may take.
    pub(super) timeout_seconds: Option<At<u64>>,
}

/// An input from outside: exactly one of `path`, `url`, `supplied`, `git`, `oci`, `crate` and `package`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Input {
    /// Files of this repository: globs relative to the recipe's folder, or to `folder`.
    pub(super) path: Option<At<Texts>>,
    /// The folder that the globs are relative to, from the top of the repository, in one of recipes or in `deploy`; the recipe's by default.
    pub(super) folder: Option<At<String>>,
    /// Globs of files to leave out.
    pub(super) exclude: Option<At<Texts>>,
    /// A file to download.
    pub(super) url: Option<At<String>>,
    /// A file that the user has: what it is called under `[supplied]` in the file that FORGE_MIRRORS names.
    pub(super) supplied: Option<At<String>>,
    /// A git repository.
    pub(super) git: Option<At<String>>,
    /// An image of a registry, as an OCI layout: `host/repository:tag`, or `host/repository@sha256:…`.
    pub(super) oci: Option<At<String>>,
    /// The commit, 40 hex digits.
    pub(super) commit: Option<At<String>>,
    /// The tag.
    pub(super) tag: Option<At<String>>,
    /// The branch; `forge lock --update` moves along it.
    pub(super) branch: Option<At<String>>,
    /// Which newer tags, or versions of a crate, `forge outdated` names: a glob such as `v1.2.*`; any where there is none.
    pub(super) update: Option<At<String>>,
    /// A package of the crate registry, unpacked.
    #[serde(rename = "crate")]
    pub(super) published: Option<At<String>>,
    /// Its version, in full.
    pub(super) version: Option<At<String>>,
    /// The archive that the package comes from.
    pub(super) archive: Option<At<String>>,
    /// A Debian package, without its dependencies.
    pub(super) package: Option<At<String>>,
    /// The one file of the package that is wanted.
    pub(super) member: Option<At<String>>,
    /// Unpack the file, an archive.
    pub(super) unpack: Option<At<bool>>,
    /// How many leading folders to drop from the names in the archive.
    pub(super) strip: Option<At<u32>>,
}

impl Input {
    /// The fields that are there, by name.
    pub(super) fn present(&self) -> impl Iterator<Item = (&'static str, Span)> {
        let text = |name, field: &Option<At<String>>| field.as_ref().map(|value| (name, value.span()));
        let list = |name, field: &Option<At<Texts>>| field.as_ref().map(|value| (name, value.span()));
        let fields = [
            list("path", &self.path),
            text("folder", &self.folder),
            list("exclude", &self.exclude),
            text("url", &self.url),
            text("supplied", &self.supplied),
            text("git", &self.git),
            text("oci", &self.oci),
            text("commit", &self.commit),
            text("tag", &self.tag),
            text("branch", &self.branch),
            text("update", &self.update),
            text("crate", &self.published),
            text("version", &self.version),
            text("archive", &self.archive),
            text("package", &self.package),
            text("member", &self.member),
            self.unpack.as_ref().map(|value| ("unpack", value.span())),
            self.strip.as_ref().map(|value| ("strip", value.span())),
        ];
        fields.into_iter().flatten()
    }
}
