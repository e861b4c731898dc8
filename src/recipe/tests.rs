//! Tests of recipes as a whole: what projects mean, and what is said about wrong ones.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

mod arguments;
mod extension;
mod installer;
mod kernel;
mod machine;

/// Files that the cases stand on: an archive and two toolroots.
const GROUND: [(&str, &str); 3] = [
    (
        "recipes/debian.toml",
        "kind = 'archive'\nsuite = 'trixie'\ncomponents = ['main']\narchitecture = 'amd64'\n\
         fingerprints = ['0123456789abcdef0123456789ABCDEF01234567']",
    ),
    ("recipes/gcc.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['gcc']"),
    ("recipes/clang.toml", "kind = 'toolroot'\narchive = 'debian'\npackages = ['clang']"),
];

/// Reads the files of `text`: `//- recipes/a.toml` stands before each.
fn read(text: &str, target: Target) -> Result<Project, Vec<Diagnostic>> {
    let own = text.split("//- ").skip(1).map(|part| part.split_once('\n').unwrap_or((part, "")));
    let file = |(path, text): (&str, &str)| (RelPath::new(path).expect("clean"), text.to_owned());
    parse(GROUND.into_iter().chain(own).map(file).collect(), target)
}

#[track_caller]
fn sound(text: &str) -> Project {
    read(text, Target::default()).unwrap_or_else(|errors| panic!("{}", drawn(&errors)))
}

fn drawn(errors: &[Diagnostic]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

/// Each error as `file:line title`, and its help in the next line.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let errors = read(text, Target::default()).expect_err("wrong");
    let mut found = Vec::new();
    for error in &errors {
        let file = error.file().map_or("", |file| file.as_str());
        let drawn = error.render(false);
        let help = drawn.rsplit_once("= help: ").expect("every error has a help").1.to_owned();
        found.extend([format!("{file}:{} {}", error.line().unwrap_or_default(), error.title()), help]);
    }
    assert_eq!(found, expected, "{}", drawn(&errors));
}

fn cmd(project: &Project, name: &str) -> Cmd {
    match &project.units[name].build {
        Build::Cmd(cmd) => cmd.clone(),
        other => panic!("{other:?}"),
    }
}

/// The examples in the header of this module, each with the file it names, and what they refer to.
fn examples() -> Vec<(RelPath, String)> {
    let header = include_str!("mod.rs").lines().take_while(|line| line.starts_with("//!"));
    let header: String = header.map(|line| format!("{}\n", line.trim_start_matches("//!").trim_start())).collect();
    let blocks = header.split("```toml\n").skip(1).map(|block| block.split_once("```").expect("closed").0);
    let named = blocks.map(|block| {
        let file = block.trim_start_matches("# ").split_once(':').expect("a file").0;
        (RelPath::new(file).expect("clean"), block.to_owned())
    });
    named.collect()
}

#[test]
fn examples_of_the_header() {
    let mut files = examples();
    assert_eq!(files.len(), 12);
    for (file, text) in [
        ("recipes/clang.toml", GROUND[2].1),
        ("recipes/zlib.toml", "toolroot = 'gcc'\nsteps = ['true']\noutputs = ['lib', 'headers']"),
        ("kernel/headers.toml", "kind = 'cmd'\ntoolroot = 'gcc'\nsteps = ['true']"),
    ] {
        files.push((RelPath::new(file).expect("clean"), text.to_owned()));
    }
    let project = parse(files.clone(), Target::default()).unwrap_or_else(|errors| panic!("{}", drawn(&errors)));
    let names: Vec<&str> = project.units.keys().map(Name::as_str).collect();
    assert_eq!(
        names,
        [
            "clang",
            "filter",
            "gcc",
            "headers",
            "hello-o3",
            "installer",
            "machine-config",
            "node-args",
            "plugin",
            "serve",
            "server",
            "small",
            "tuning",
            "zlib"
        ]
    );
    let hello = &project.units["hello-o3"];
    assert_eq!(
        hello.sources.keys().map(Name::as_str).collect::<Vec<_>>(),
        ["base", "data", "etc", "lib", "linux", "src", "tool"]
    );
    assert_eq!(cmd(&project, "hello-o3").steps, ["gcc -O3 -o /out/out/hello /src/src/hello.c -I/deps/zlib"]);
    assert_eq!(cmd(&project, "hello-o3").env["LEVEL"], "3");
    assert_eq!(cmd(&project, "hello-o3").timeout, Duration::from_secs(600));
    let test = &hello.tests["greets"];
    assert_eq!((test.toolroot.as_str(), &test.steps[0]), ("gcc", &"/deps/out/hello | grep -qx Hello".to_owned()));
    assert_eq!((test.env["LEVEL"].as_str(), test.timeout), ("3", Duration::from_secs(60)));
    let Build::Image(server) = &project.units["server"].build else { panic!("an image") };
    let place = |text| RelPath::new(text).expect("clean");
    let etc = Origin { source: true, name: "etc".parse().expect("a name"), path: Some(place("etc")) };
    assert_eq!((server.files.len(), &server.files[&place("etc/serve")]), (2, &etc));
    assert_eq!(server.directories[&place("data")].to_string(), "10001:10001 0750");
    assert_eq!((server.config.user, server.config.architecture.as_str()), ((10001, 10001), "amd64"));
    let arm = parse(files, Target::Aarch64).expect("sound");
    assert_eq!(cmd(&arm, "hello-o3").timeout, Duration::from_secs(1200));
}

#[test]
fn schema_is_current_and_accepts_the_examples() {
    let schema = schema();
    let written = include_str!("../../recipes/schema.json");
    let expected = format!("{}\n", serde_json::to_string_pretty(&schema).expect("json"));
    assert_eq!(written, expected, "write the second text into recipes/schema.json");
    let (mut compiler, mut schemas) = (boon::Compiler::new(), boon::Schemas::new());
    compiler.add_resource("recipe.json", schema).expect("a schema");
    let compiled = compiler.compile("recipe.json", &mut schemas).expect("a schema");
    let validate = |value: &serde_json::Value| schemas.validate(value, compiled).map_err(|error| error.to_string());
    for (file, text) in examples() {
        let value: serde_json::Value = toml::from_str(&text).expect("toml");
        assert_eq!(validate(&value), Ok(()), "{file}");
    }
    for text in ["stesp = []", "kind = 'bpf'\nsteps = ['a']", "kind = 'x'", "steps = 'a'", "[sources.a]\nurk = ''"] {
        let value: serde_json::Value = toml::from_str(text).expect("toml");
        assert!(validate(&value).is_err(), "{text}");
    }
}

#[test]
fn a_cargo_unit() {
    let project = sound(
        "//- recipes/x/recipe.toml\nkind = 'cargo'\ntoolroot = 'gcc'\nbins = ['x']\nglibc = '2.34'\n\
         patches = ['b.patch', 'a.patch']\nlock-patches.'time@0.3' = '0.3.36'\nsources.src = { path = ['**'] }",
    );
    let unit = &project.units["x"];
    assert_eq!(unit.sources.keys().map(Name::as_str).collect::<Vec<_>>(), ["crates", "patches", "src"]);
    let Source::Crates(closure) = &unit.sources["crates"] else { panic!("{unit:?}") };
    let beside: Vec<&str> = closure.beside.iter().map(RelPath::as_str).collect();
    assert_eq!(beside, ["recipes/x/Cargo.lock", "recipes/x/b.patch", "recipes/x/a.patch"]);
    assert_eq!(*closure.source, unit.sources["src"]);
    assert_eq!(unit.outputs(), ["out", "debug"].map(Name::constant));
    let Build::Cargo(cargo) = &unit.build else { panic!("{unit:?}") };
    assert_eq!((cargo.target_cpu.as_str(), cargo.default_features), ("x86-64-v3", true));
    assert_eq!(cargo.rules.needed, ["libgcc_s.so.1"]);
}

#[test]
fn wrong_cargo_units() {
    check(
        "//- recipes/a.toml
kind = 'cargo'
toolroot = 'gcc'
sources.src = { crate = 'x' }
lock-patches.time = '0.3'
lock-patches.'a b' = '1.0.0'
//- recipes/b.toml
kind = 'cargo'
toolroot = 'gcc'
lib = true
glibc = '2.34'
sources.crates = { crate = '-x', version = '1.2.3' }
sources.src = { crate = 'x', version = '1.2' }
[abi]
host = 'c'
crates = ['y']
waivers.z = 'why'
//- recipes/d.toml
kind = 'cargo'
toolroot = 'gcc'
lib = true
glibc = '2.34'
sources.src = { path = ['**'] }
lock-patches.'1' = '1.2.3'
patches = ['../x']",
        &[
            "recipes/a.toml:1 `a`, a recipe of kind `cargo`, has no `bins`",
            "add `bins = …`",
            "recipes/a.toml:1 `a`, a recipe of kind `cargo`, has no `glibc`",
            "add `glibc = …`",
            "recipes/a.toml:3 a crate needs the version that is wanted",
            "add `version = \"1.2.3\"`",
            "recipes/a.toml:4 `0.3` is not a version: unexpected end of input while parsing minor version number",
            "write one in full, such as `1.2.3`",
            "recipes/a.toml:5 `a b` is no package of a Cargo.lock",
            "write a name, or `name@version` where there are several",
            "recipes/b.toml:5 a unit of kind `cargo` has a source `crates` of itself",
            "give this one another name",
            "recipes/b.toml:5 `-x` is not the name of a crate",
            "use letters, digits, `-` and `_`",
            "recipes/b.toml:6 `1.2` is not a version: unexpected end of input while parsing minor version number",
            "write one in full, such as `1.2.3`",
            "recipes/b.toml:8 there is no unit `c`",
            "did you mean `a`?",
            "recipes/b.toml:10 `z` is not one of the crates that are compared",
            "did you mean `y`?",
            "recipes/d.toml:6 `1` is no package of a Cargo.lock",
            "write a name, or `name@version` where there are several",
            "recipes/d.toml:7 `../x` has the component `..`, which could lead outside",
            "write a path such as `src/main.c`, which leads down only",
        ],
    );
}

#[test]
fn a_toolroot() {
    let project = sound(
        "//- recipes/x.toml\nkind = 'toolroot'\narchive = 'debian'\npackages = ['a', 'b', 'a']\nlinks.cc = 'gcc'",
    );
    let unit = &project.units["x"];
    let Source::Debs { archive, packages, essential } = &unit.sources["debs"] else { panic!("{unit:?}") };
    assert_eq!(archive.fingerprints, ["0123456789ABCDEF0123456789ABCDEF01234567"]);
    assert_eq!((&packages[..], *essential), (&["a".to_owned(), "b".to_owned()][..], true));
    let Build::Toolroot(toolroot) = &unit.build else { panic!("{unit:?}") };
    assert_eq!(toolroot.links["cc"], "gcc");
    assert!(toolroot.trim.iter().any(|path| path.as_str() == "usr/share/doc"));
    assert_eq!((unit.outputs(), unit.build.kind(), unit.toolroot()), (vec![Name::constant("out")], "toolroot", None));
}

#[test]
fn tests_come_after_their_unit() {
    let project = sound(
        "//- recipes/lib.toml
toolroot = 'gcc'
steps = ['true']
outputs = ['lib', 'headers']
[tests.links]
steps = ['ld /deps/lib /deps/tool']
deps = { tool = 'tool', self = 'lib:headers' }
//- recipes/tool.toml
toolroot = 'gcc'
steps = ['true']
deps.lib = 'lib'
//- recipes/more.toml
extends = 'lib'
[tests.links]
toolroot = 'clang'
steps = ['second']
[tests.runs]
steps = ['true']
//- recipes/root.toml
kind = 'toolroot'
archive = 'debian'
packages = ['gcc']
tests.compiles.steps = ['gcc --version']",
    );
    let links = &project.units["lib"].tests["links"];
    assert_eq!((links.toolroot.as_str(), links.timeout), ("gcc", DEFAULT_TIMEOUT));
    assert_eq!(links.deps["tool"].unit.as_str(), "tool", "no cycle, although `tool` needs `lib`");
    let more = &project.units["more"].tests;
    assert_eq!((more["links"].toolroot.as_str(), more["links"].steps.len(), more.len()), ("clang", 2, 2));
    assert_eq!(project.units["root"].tests["compiles"].toolroot.as_str(), "root");
}

#[test]
fn wrong_tests() {
    wrong("tests.a = {}", "the test `a` has no `steps`");
    wrong("tests.a.step = ['true']", "unknown field `step`");
    wrong(
        "tests.A.steps = ['true']",
        "`A` is not a name: use lower-case letters, digits, `.` and `-`, starting with a letter or digit",
    );
    wrong("tests.a = { steps = ['true'], toolroot = 'x' }", "`x` is of kind `cmd`, not `toolroot`");
    wrong("tests.a = { steps = ['true'], deps.b = 'y' }", "there is no unit `y`");
    wrong("tests.a = { steps = ['true'], deps.x = 'gcc' }", "in its tests /deps/x is the unit's own");
    wrong("tests.a = { steps = ['${v}'] }", "`v` is not a variable of this recipe");
    wrong("tests.a = { steps = ['true'], timeout-seconds = 0 }", "nothing ends within 0 seconds");
}

#[test]
fn extending() {
    let project = sound(
        "//- recipes/base.toml
abstract = true
toolroot = 'gcc'
steps = ['first']
env = { A = '1', B = '1' }
description = 'base'
[target.x86_64]
env.C = 'base'
//- recipes/middle.toml
abstract = true
extends = 'base'
steps = ['second']
env.B = '2'
//- recipes/leaf.toml
extends = 'middle'
steps = ['third']
env.C = 'leaf'
sources.src.path = ['*']
default = true",
    );
    let leaf = cmd(&project, "leaf");
    assert_eq!(leaf.steps, ["first", "second", "third"]);
    assert_eq!(leaf.env.values().map(String::as_str).collect::<Vec<_>>(), ["1", "2", "leaf"]);
    assert_eq!(project.units["leaf"].description, "base");
    assert!(!project.units.contains_key("base"));
    let Source::Path { directory, .. } = &project.units["leaf"].sources["src"] else { panic!() };
    assert_eq!(directory.as_str(), "recipes");
}

#[test]
fn matrix() {
    let project = sound(
        "//- recipes/o.toml
toolroot = 'gcc'
steps = ['cc -O${level} -D${name} $${CC} $CC']
vars = { level = '2', name = 'a' }
[[matrix]]
name = '-two'
[[matrix]]
name = 'three'
vars.level = '3'",
    );
    assert_eq!(cmd(&project, "o-two").steps, ["cc -O2 -Da ${CC} $CC"]);
    assert_eq!(cmd(&project, "three").steps, ["cc -O3 -Da ${CC} $CC"]);
}

#[test]
fn every_error_of_every_file_in_one_go() {
    check(
        "//- recipes/a.toml
toolroot = 'gc'
step = ['true']
steps = ['${vra}']
vars.var = ''
[sources]
s = { urll = 'https://x' }
t = { url = 'ftp://x', strip = 1 }
//- recipes/b.toml
kind = 'cmdd'
//- recipes/c.toml
steps = [",
        &[
            "recipes/a.toml:1 there is no unit `gc`",
            "did you mean `gcc`?",
            "recipes/a.toml:2 unknown field `step`",
            "did you mean `steps`?",
            "recipes/a.toml:3 `vra` is not a variable of this recipe",
            "did you mean `var`?",
            "recipes/a.toml:6 a source is of exactly one kind",
            "give it one of `path`, `url`, `supplied`, `git`, `oci`, `crate`, `package`",
            "recipes/a.toml:6 unknown field `urll`",
            "did you mean `url`?",
            "recipes/a.toml:7 `ftp://x` is not an address forge can fetch from",
            "it must start with https:// or http:// or file:// or ssh://",
            "recipes/a.toml:7 `strip` needs `unpack = true`",
            "add it, or drop `strip`",
            "recipes/b.toml:1 there is no kind `cmdd`",
            "did you mean `cmd`?",
            "recipes/c.toml:1 unclosed array, expected `]`",
            "see https://toml.io for the syntax",
        ],
    );
}

#[test]
fn drawing_of_a_cycle() {
    let unit = |dep: &str| format!("toolroot = 'gcc'\nsteps = ['true']\ndeps.x = '{dep}'\n");
    let text = format!("//- recipes/a.toml\n{}//- recipes/b.toml\n{}", unit("b"), unit("a:out"));
    let errors = read(&text, Target::default()).expect_err("a cycle");
    let expected = "\
error: units need each other: a → b → a
 --> recipes/a.toml:3:10
  |
3 | deps.x = 'b'
  |          ^^^ `a` needs `b`
  |
 ::: recipes/b.toml:3:10
  |
3 | deps.x = 'a:out'
  |          ------- `b` needs `a`
  |
  = help: drop one of these references, or take what they share into a third unit
";
    assert_eq!(drawn(&errors), expected);
}

/// One recipe with `fields` beside a toolroot and a step gives this one error.
#[track_caller]
fn wrong(fields: &str, title: &str) {
    let text = format!("//- recipes/x.toml\ntoolroot = 'gcc'\nsteps = ['true']\n{fields}");
    let errors = read(&text, Target::default()).expect_err(fields);
    assert_eq!(errors.first().map(Diagnostic::title), Some(title), "{}", drawn(&errors));
    assert!(errors.len() == 1 || fields.contains("extends"), "{}", drawn(&errors));
}

#[test]
fn wrong_fields() {
    wrong("kind = 'images'", "there is no kind `images`");
    wrong("programs = ['a.c']", "`programs` has no meaning in a recipe of kind `cmd`");
    wrong("extends = 'gcc'\nkind = 'cmd'", "`archive` has no meaning in a recipe of kind `cmd`");
    wrong("outputs = ['a', 'a']", "the output `a` is named twice");
    wrong("timeout-seconds = 0", "nothing ends within 0 seconds");
    wrong("timeout-seconds = 'a'", "invalid type: string \"a\"");
    wrong("env.1A = ''", "`1A` is not the name of a variable");
    wrong("deps.a = 'gcc:lib'", "`gcc` has no output `lib`");
    wrong("deps.a = 'debian'", "there is no unit `debian`");
    wrong("deps.a = 'x'", "units need each other: x → x");
    wrong(
        "deps.a = ''",
        "`` is not a name: use lower-case letters, digits, `.` and `-`, starting with a letter or digit",
    );
    wrong("extends = 'basis'", "there is no recipe `basis`");
    wrong("extends = 'x'", "recipes extend each other: x → x");
    wrong("target.x86_64.kind = 'cmd'", "`kind` can't depend on the target");
    wrong("target.arm.steps = []", "unknown variant `arm`");
    wrong("matrix = [{ name = 'gcc' }]", "a second unit has the name `gcc`");
    wrong("matrix = [{ vars = {} }]", "missing field `name`");
}

#[test]
fn wrong_sources() {
    let source = |fields: &str, title: &str| wrong(&format!("sources.s = {{ {fields} }}"), title);
    source("path = ['../a']", "`../a` has the component `..`, which could lead outside");
    source("path = ['/a']", "`/a` is absolute; a relative path is needed");
    source("path = ['a'], exclude = ['[']", "error parsing glob '[': unclosed character class; missing ']'");
    source("path = ['a'], url = 'https://a'", "a source is of exactly one kind");
    source("url = 'https://a b'", "`https://a b` is not an address forge can fetch from");
    source("url = 'https://a', tag = 'v1'", "`tag` has no meaning for a `url` source");
    source("git = 'https://a'", "a git source needs exactly one of `commit`, `tag` and `branch`");
    source("git = 'https://a', commit = 'abc'", "a commit has 40 hex digits");
    source("git = 'https://a', branch = '--upload-pack=x'", "`--upload-pack=x` is not the name of a tag or branch");
    source(
        "supplied = '/srv/a'",
        "`/srv/a` is not a name: use lower-case letters, digits, `.` and `-`, starting with a letter or digit",
    );
    source("supplied = 'a', strip = 1", "`strip` needs `unpack = true`");
    source("supplied = 'a', url = 'https://a'", "a source is of exactly one kind");
    source("package = 'a'", "a package needs the archive that it comes from");
    source("package = 'a', archive = 'debain'", "there is no archive `debain`");
    source("package = 'a b', archive = 'debian'", "`a b` is not the name of a Debian package");
    source("package = 'a', archive = 'debian', member = '/a'", "`/a` is absolute; a relative path is needed");
}

#[test]
fn what_is_not_free_is_built_for_who_names_it() {
    let unit =
        |fields: &str| format!("//- recipes/x.toml\ntoolroot = 'gcc'\nsteps = ['true']\nunfree = true\n{fields}");
    let help = "drop `default = true`: who may build it names it, and says so with --allow-unfree";
    check(&unit("default = true"), &["recipes/x.toml:1 `x` is not free, and built where no unit is named", help]);
    let user = "\n//- recipes/y.toml\ntoolroot = 'gcc'\nsteps = ['true']\ndeps.x = 'x'\n";
    check(
        &unit(&format!("{user}default = true\n//- recipes/z.toml\ntoolroot = 'gcc'\nsteps = ['true']\ndefault = true")),
        &["recipes/y.toml:1 `y` is built where no unit is named, and needs `x`, which is not free", help],
    );
    let project = sound(&unit(&format!("sources.tool = {{ supplied = 'tool', unpack = true }}{user}")));
    let supplied = Source::Supplied { name: "tool".to_owned(), unpack: Some(Unpack { strip: 0 }) };
    assert_eq!(project.units["x"].sources["tool"], supplied);
}

#[test]
fn wrong_references() {
    let headers = "//- kernel/headers.toml\nkind = 'cmd'\ntoolroot = 'gcc'\nsteps = ['true']\n";
    check(
        &format!(
            "//- recipes/x.toml\ntoolroot = 'y'\nsteps = ['true']\ndeps.a = 'headers'\n//- recipes/y.toml\ntoolroot = 'gcc'\nsteps = ['true']\n{headers}"
        ),
        &[
            "recipes/x.toml:1 `y` is of kind `cmd`, not `toolroot`",
            "name one of: clang, gcc",
            "recipes/x.toml:3 a unit in recipes/ can't use `headers`, which stands in kernel/",
            "references go recipes ← kernel ← bpf ← extensions ← images ← charts",
        ],
    );
    check(
        "//- images/gcc/recipe.toml\nkind = 'cmd'\n//- charts/c.toml\n//- recipes/A.toml\n",
        &[
            "images/gcc/recipe.toml:1 a second recipe has the name `gcc`",
            "rename one of them; names are unique over all recipe folders",
            "charts/c.toml:1 a recipe in charts/ must say its kind",
            "add `kind = \"…\"`, one of archive, toolroot, cmd, bpf, cargo, arguments, image, kernel, extension, machine, installer",
            "recipes/A.toml:1 `recipes/A.toml` is no place for a recipe",
            "name it <folder>/<name>.toml or <folder>/<name>/recipe.toml; <name> has only a-z, 0-9, `.` and `-`",
        ],
    );
    check(
        "//- bpf/f.toml\n//- recipes/o.toml\ntoolroot = 'gcc'\nsteps = ['true']\nmatrix = [{ name = '-a' }]
//- recipes/use.toml\ntoolroot = 'gcc'\nsteps = ['true']\ndeps.o = 'o'\n",
        &[
            "bpf/f.toml:1 `f`, a recipe of kind `bpf`, has no `license`",
            "add `license = …`",
            "bpf/f.toml:1 `f`, a recipe of kind `bpf`, has no `programs`",
            "add `programs = …`",
            "bpf/f.toml:1 `f`, a recipe of kind `bpf`, has no `sources.src`",
            "add `sources.src = …`",
            "bpf/f.toml:1 `f`, a recipe of kind `bpf`, has no `toolroot`",
            "add `toolroot = …`",
            "recipes/use.toml:3 there is no unit `o`",
            "`o` has a matrix; name one of its units: o-a",
        ],
    );
}

#[test]
fn loading_from_disk() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let write = |file: &str, text: &[u8]| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, text).expect("written");
    };
    GROUND.iter().for_each(|(file, text)| write(file, text.as_bytes()));
    write("recipes/hello/recipe.toml", b"toolroot = 'gcc'\nsteps = ['true']");
    write("recipes/keys/0.asc", b"");
    write("recipes/.#gcc.toml", b"\xff");
    write("recipes/README.md", b"");
    let project = load(folder.path()).expect("sound");
    assert_eq!(project.units.keys().map(Name::as_str).collect::<Vec<_>>(), ["clang", "gcc", "hello"]);
    write("bpf/latin.toml", b"\xff");
    let errors = load(folder.path()).expect_err("not UTF-8");
    assert!(errors[0].title().starts_with("bpf/latin.toml can't be read: "), "{}", errors[0]);
}

proptest! {
    #[test]
    fn no_text_panics_the_parser(
        pieces in proptest::collection::vec((0..200usize, 0..40usize), 0..30), junk: String
    ) {
        let all: String = examples().into_iter().map(|(_, text)| text).collect();
        let cut = |(line, length): (usize, usize)| all.lines().nth(line).unwrap_or_default().chars().take(length).collect();
        let pieces: Vec<String> = pieces.into_iter().map(cut).collect();
        for text in [pieces.join("\n"), format!("{}\n{junk}", pieces.join("\n")), junk] {
            if let Err(errors) = read(&format!("//- recipes/x.toml\n{text}"), Target::default()) {
                errors.iter().for_each(|error| drop(error.render(false)));
            }
        }
    }
}
