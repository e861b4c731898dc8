//! Recipes of kind `kernel`.

use super::*;

/// A sound recipe, but for what a case adds.
const HEAD: &str = "//- kernel/x.toml\ntoolroot = 'gcc'\nsources.linux = { url = 'https://example.org/linux' }\n";

fn kernel(project: &Project) -> Kernel {
    match &project.units["x"].build {
        Build::Kernel(kernel) => (**kernel).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_folder_gives_the_kind_and_files_make_sources() {
    let project = sound(&format!(
        "{HEAD}base = 'x86_64_defconfig'\nfragments = ['a.config', 'more/b.config']\ncertificate = 'keys/c.pem'\n\
         patches = ['fix.patch']\nlocalversion = '-${{who}}'\nvars.who = 'us'\nwaivers.NR_CPUS = 'few'"
    ));
    let found = kernel(&project);
    assert_eq!(found.base, Base::Target("x86_64_defconfig".to_owned()));
    assert_eq!((found.localversion.as_str(), found.compiler, &found.command_line[..]), ("-us", Compiler::Gcc, &[][..]));
    let unit = &project.units["x"];
    let outputs: Vec<String> = unit.outputs().iter().map(Name::to_string).collect();
    assert_eq!((unit.build.kind(), outputs.join(" ").as_str()), ("kernel", "out modules headers debug report"));
    let files = |source: &str| match &unit.sources[source] {
        Source::Path { directory, include, .. } => format!("{directory}: {}", include.join(" ")),
        other => panic!("{other:?}"),
    };
    assert_eq!(files("config"), "kernel: a.config more/b.config keys/c.pem");
    assert_eq!(files("patches"), "kernel: fix.patch");
}

#[test]
fn a_base_with_a_dot_is_a_file() {
    let project = sound(&format!(
        "{HEAD}base = 'whole.config'\nfragments = ['a.config']\ncompiler = 'clang'\nconfigure-only = true"
    ));
    let found = kernel(&project);
    assert_eq!(found.base, Base::File(RelPath::constant("whole.config")));
    assert_eq!(found.compiler, Compiler::Clang);
    let outputs: Vec<String> = project.units["x"].outputs().iter().map(Name::to_string).collect();
    assert_eq!(outputs, ["out", "report"]);
    let Source::Path { include, .. } = &project.units["x"].sources["config"] else { panic!("files") };
    assert_eq!(include.join(" "), "a.config whole.config");
}

#[test]
fn mistakes_stand_at_their_places() {
    check(
        &format!(
            "{HEAD}base = 'menuconfig'
fragments = ['../a.config']
localversion = '-a b'
compiler = 'icc'
command-line = ['pti=on', 'vm.swappiness=1']
sources.config = {{ path = ['x'] }}
"
        ),
        &[
            "kernel/x.toml:3 no configuration starts from `menuconfig`",
            "write allmodconfig, allnoconfig, allyesconfig, alldefconfig, defconfig, tinyconfig, `x86_64_defconfig`, or a file such as `base.config`",
            "kernel/x.toml:4 `../a.config` has the component `..`, which could lead outside",
            "write a path such as `src/main.c`, which leads down only",
            "kernel/x.toml:5 `-a b` is not the end of a kernel's release",
            "write letters, digits and `-._+~`, at most 40 of them",
            "kernel/x.toml:6 no kernel is compiled with `icc`",
            "did you mean `gcc`?",
            "kernel/x.toml:7 the command line has no `slab_nomerge`",
            "add it: Talos does not start without",
            "kernel/x.toml:7 `vm.swappiness` is a sysctl and no argument: the kernel passes over it",
            "put `vm.swappiness` among the sysctls of the machine's configuration",
            "kernel/x.toml:8 a unit of kind `kernel` has a source `config` of itself",
            "give this one another name",
        ],
    );
    check(
        "//- kernel/x.toml\ntoolroot = 'gcc'\n",
        &[
            "kernel/x.toml:1 `x`, a recipe of kind `kernel`, has no `base`",
            "add `base = …`",
            "kernel/x.toml:1 `x`, a recipe of kind `kernel`, has no `fragments`",
            "add `fragments = …`",
            "kernel/x.toml:1 `x`, a recipe of kind `kernel`, has no `sources.linux`",
            "add `sources.linux = …`",
        ],
    );
}
