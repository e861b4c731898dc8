//! `bpf`: clang in a sandbox makes objects, forge reads them back.

use std::collections::BTreeMap;

use super::shell::quote;
use super::{Error, Input, Planner, STEP_TIMEOUT, Step, Unit, cmd, debug, out};
use crate::derivation::{Assemble, Derivation, Run};
use crate::lockfile::Locked;
use crate::path::RelPath;
use crate::recipe::{Bpf, Recipe};
use crate::sandbox::Profile;

/// The multi-arch directory that holds `asm/types.h` in a Debian toolroot.
const ARCH_INCLUDE: &str = "/usr/include/x86_64-linux-gnu";
/// The directory of all other headers.
const INCLUDE: &str = "/usr/include";

impl Planner<'_> {
    pub(super) fn bpf(&mut self, recipe: &Recipe<Locked>, bpf: &Bpf) -> Result<Unit, Error> {
        let run = Run {
            root: self.main_output(&bpf.toolroot)?,
            deps: self.references(&bpf.deps)?,
            sources: self.sources(recipe)?,
            argv: cmd::argv(bpf.programs.iter().map(|program| compile(bpf, program))),
            env: cmd::environment(&BTreeMap::new()),
            outputs: vec![out(), debug()],
            profile: Profile::Build,
            service: None,
        };
        let compiled = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: compile", recipe.name),
            derivation: Derivation::Run(run),
            timeout: STEP_TIMEOUT,
        });
        let checked = Assemble::Bpf {
            objects: Input::Step(compiled, out()),
            debug: Input::Step(compiled, debug()),
            license: bpf.license.clone(),
            sections: bpf.sections.clone(),
        };
        Ok(self.assembled(recipe, checked))
    }
}

/// One program's step. It compiles from inside the source folder, so that no absolute path can
/// get into BTF, with the toolroot's headers and none that the compiler brings; what is to be
/// loaded is without DWARF, which no kernel reads; BTF stays.
fn compile(bpf: &Bpf, program: &RelPath) -> String {
    let (object, full) = (format!("/out/out/{}.o", stem(program)), format!("/out/debug/{}.o", stem(program)));
    let flags: String = bpf.cflags.iter().map(|flag| format!(" {}", quote(flag))).collect();
    format!(
        "mkdir -p /out/out /out/debug\n\
         cd /src/src\n\
         clang -target bpf -mcpu={cpu} -O2 -g -nostdinc -isystem {ARCH_INCLUDE} -isystem {INCLUDE} \
         -ffile-prefix-map=/src/src=. -fdebug-compilation-dir=.{flags} -c {source} -o {full}\n\
         llvm-strip -g -o {object} {full}",
        cpu = quote(&bpf.cpu),
        source = quote(program.as_str()),
        object = quote(&object),
        full = quote(&full),
    )
}

/// The object's name: the source's, less `.bpf.c` or `.c`.
fn stem(program: &RelPath) -> &str {
    let name = program.file_name();
    name.strip_suffix(".bpf.c").or_else(|| name.strip_suffix(".c")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_names() {
        for (program, expect) in [("xdp.bpf.c", "xdp"), ("src/xdp.c", "xdp"), ("xdp", "xdp")] {
            assert_eq!(stem(&RelPath::new(program).expect("clean")), expect);
        }
    }
}
