//! `kernel`: configured and compiled in sandboxes; what was asked for and what came of it is judged by forge.
//!
//! ```text
//! config ─→ layers ─→ configure ─→ judge ─→ compile ─→ read back ─→ out modules headers debug
//!    └────────────────────────────↗  └─ report ─────────────↗
//! linux ─→ (patched) ──↗────────↗───────────↗
//! ```
//!
//! `layers` are the fragments without their comments, so that a comment configures nothing again. What is compiled
//! sees the configuration that came out and no fragment, so that one that changes nothing compiles nothing.
//! Linux is at `/src/linux` and is written to nowhere: make works in `/build`, by `O=`.

use std::collections::BTreeMap;

use super::cargo::apply;
use super::shell::{line, quote};
use super::{Error, Input, Planner, Step, Unit, cmd, out};
use crate::derivation::{self, Assemble, Derivation, Layers, Resolved, Run};
use crate::kernel::fragment;
use crate::lockfile::Locked;
use crate::path::Name;
use crate::recipe::{Base, Compiler, DEBUG, Kernel, OUTPUT, Recipe};

/// Where the layers, the configuration and the certificate lie in the sandboxes.
const LAYERS: &str = "layers";
const CONFIG: &str = "config";

/// The certificate as the configuration names it, relative to `/build`.
const CERTIFICATE: &str = "certs/certificate.pem";

/// pahole as make is to call it: with one thread, as its own are none of the jobserver's. An option that comes last
/// wins over the `-j` that Linux passes.
const PAHOLE: &str = "#!/bin/sh
exec pahole \"$@\" -j1";
const WRAPPED: &str = "PAHOLE=/build/pahole";

/// What a kernel tells of its build: nothing of the machine, and the time of all files.
const TOLD: [(&str, &str); 4] = [
    ("KBUILD_BUILD_HOST", "forge"),
    ("KBUILD_BUILD_TIMESTAMP", "Wed Jan  2 00:00:00 UTC 1980"),
    ("KBUILD_BUILD_USER", "forge"),
    ("KBUILD_BUILD_VERSION", "1"),
];

/// Paths of the sandbox are left out of what debuggers and messages tell.
const REMAP: &str = "-ffile-prefix-map=/src/linux/= -ffile-prefix-map=/build=.";

impl Planner<'_> {
    pub(super) fn kernel(&mut self, recipe: &Recipe<Locked>, kernel: &Kernel) -> Result<Unit, Error> {
        let mut sources = self.sources(recipe)?;
        let base = Run {
            env: cmd::environment(&environment()),
            outputs: vec![out()],
            ..cmd::bare(self.main_output(&kernel.toolroot)?)
        };
        let linux = self.linux(recipe, kernel, &base, &mut sources);
        let layers = layers(kernel, sources.remove(Kernel::CONFIG).expect("BUG: a kernel without fragments"));
        let read = Assemble::Layers(Box::new(layers.clone()));
        let read = self.assemble(&recipe.name, format!("{}: read fragments", recipe.name), read);
        let configs = self.configure(recipe, kernel, &base, (&linux, read));
        let judged = Resolved { layers, linux: linux.clone(), configs };
        let judged = Assemble::Resolved(Box::new(judged));
        if kernel.configure_only {
            return Ok(self.assembled(recipe, judged));
        }
        let config = self.assemble(&recipe.name, format!("{}: judge configuration", recipe.name), judged);
        let report = output_of(&config, Kernel::REPORT);
        let compiled = self.compile(recipe, kernel, base, (linux, config));
        let built = built(kernel, &compiled, report);
        Ok(self.signed(recipe, kernel, built, &sources))
    }

    /// The sources of Linux, with the patches of the recipe.
    fn linux(
        &mut self,
        recipe: &Recipe<Locked>,
        kernel: &Kernel,
        base: &Run<Input>,
        sources: &mut BTreeMap<Name, Input>,
    ) -> Input {
        let linux = sources[Kernel::SOURCE].clone();
        let Some(patches) = sources.remove(Kernel::PATCHES) else { return linux };
        let copy = "cp -r /src/linux /out/out\nchmod -R u+w /out/out".to_owned();
        let steps = [copy].into_iter().chain(kernel.patches.iter().map(apply));
        let sources = [(Kernel::SOURCE, linux), (Kernel::PATCHES, patches)];
        let sources = sources.map(|(name, input)| (Name::constant(name), input)).into();
        let run = Run { sources, argv: cmd::argv(steps), ..base.clone() };
        self.step(recipe, kernel, "patch", run)
    }

    /// The configuration after each layer, as `0`, `1`, …; and `new`, what a file to start from does not answer.
    fn configure(
        &mut self,
        recipe: &Recipe<Locked>,
        kernel: &Kernel,
        base: &Run<Input>,
        (linux, layers): (&Input, Input),
    ) -> Input {
        let make = |target: &str| make(kernel, &[target]);
        let start = match &kernel.base {
            Base::Target(target) => format!("{}\ntouch /out/out/new", make(target)),
            Base::File(_) => format!("cp /deps/{LAYERS}/0 .config\n{} > /out/out/new", make("listnewconfig")),
        };
        let whole = make("olddefconfig");
        let mut steps = vec![format!("mkdir /out/out\n{start}\n{whole}\ncp .config base\ncp .config /out/out/0")];
        steps.extend((1..=kernel.fragments.len() + 1).map(|layer| {
            format!(
                "cat /deps/{LAYERS}/{layer} >> asked\ncat base asked > .config\n{whole}\ncp .config /out/out/{layer}"
            )
        }));
        let run = Run {
            sources: BTreeMap::from([(Name::constant(Kernel::SOURCE), linux.clone())]),
            deps: BTreeMap::from([(Name::constant(LAYERS), layers)]),
            argv: cmd::argv(steps),
            ..base.clone()
        };
        self.step(recipe, kernel, "configure", run)
    }

    fn compile(
        &mut self,
        recipe: &Recipe<Locked>,
        kernel: &Kernel,
        base: Run<Input>,
        (linux, config): (Input, Input),
    ) -> Input {
        let outputs = [OUTPUT, Kernel::MODULES, Kernel::HEADERS, DEBUG];
        let run = Run {
            sources: BTreeMap::from([(Name::constant(Kernel::SOURCE), linux)]),
            deps: BTreeMap::from([(Name::constant(CONFIG), config)]),
            argv: cmd::argv([prepare(kernel), make(kernel, &[WRAPPED, "bzImage", "modules"]), collect(kernel)]),
            outputs: outputs.map(Name::constant).into(),
            ..base
        };
        self.step(recipe, kernel, "compile", run)
    }

    /// Adds a command of the unit; its first output.
    fn step(&mut self, recipe: &Recipe<Locked>, kernel: &Kernel, what: &str, run: Run<Input>) -> Input {
        let step = self.plan.add(Step {
            unit: recipe.name.clone(),
            label: format!("{}: {what}", recipe.name),
            derivation: Derivation::Run(run),
            timeout: kernel.timeout,
        });
        Input::Step(step, out())
    }
}

/// The look at what was compiled.
fn built(kernel: &Kernel, compiled: &Input, report: Input) -> Assemble<Input> {
    let made = |output| output_of(compiled, output);
    Assemble::Kernel(Box::new(derivation::Kernel {
        out: made(OUTPUT),
        modules: made(Kernel::MODULES),
        headers: made(Kernel::HEADERS),
        debug: made(DEBUG),
        report,
        command_line: kernel.command_line.clone(),
    }))
}

/// Another output of the step that `input` is one of.
pub(super) fn output_of(input: &Input, output: &'static str) -> Input {
    match input {
        Input::Step(id, _) => Input::Step(*id, Name::constant(output)),
        Input::Known(_) => unreachable!("BUG: a command's result is a step's"),
    }
}

fn layers(kernel: &Kernel, files: Input) -> Layers<Input> {
    Layers {
        files,
        base: match &kernel.base {
            Base::File(path) => Some(path.clone()),
            Base::Target(_) => None,
        },
        fragments: kernel.fragments.clone(),
        own: own(kernel),
        certificate: kernel.certificate.clone(),
        waivers: kernel.waivers.clone(),
    }
}

/// The lines that the recipe's fields come to, and what a build that anybody can repeat needs: nothing that depends on a
/// git repository, no salt, no key.
fn own(kernel: &Kernel) -> Vec<String> {
    let certificate = kernel.certificate.as_ref().map_or("", |_| CERTIFICATE);
    let text = |symbol: &str, text: &str| fragment::line(symbol, &format!("\"{text}\""));
    vec![
        text("LOCALVERSION", &kernel.localversion),
        fragment::line("LOCALVERSION_AUTO", fragment::NO),
        text("BUILD_SALT", ""),
        fragment::line("MODULE_SIG_ALL", fragment::NO),
        text("MODULE_SIG_KEY", ""),
        text("SYSTEM_TRUSTED_KEYS", certificate),
    ]
}

/// The variables of make and the compiler.
fn environment() -> BTreeMap<String, String> {
    let flags = ["KAFLAGS", "KCFLAGS"].map(|name| (name, REMAP));
    TOLD.into_iter().chain(flags).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Linux' make for these targets.
fn make(kernel: &Kernel, targets: &[&str]) -> String {
    let llvm = (kernel.compiler == Compiler::Clang).then_some("LLVM=1");
    let words = ["make", "-s", "-C", "/src/linux", "O=/build", "ARCH=x86_64"];
    line(words.into_iter().chain(llvm).chain(targets.iter().copied()))
}

/// Puts the configuration in place, which must be whole: make would ask for what is missing, and nobody answers.
fn prepare(kernel: &Kernel) -> String {
    let certificate = match &kernel.certificate {
        Some(_) => format!("mkdir certs\ncp /deps/{CONFIG}/certificate.pem {CERTIFICATE}\n"),
        None => String::new(),
    };
    format!(
        "{certificate}printf '%s\\n' {} > pahole
chmod +x pahole
cp /deps/{CONFIG}/config .config
{} < /dev/null
cmp .config /deps/{CONFIG}/config",
        quote(PAHOLE),
        make(kernel, &[WRAPPED, "syncconfig"])
    )
}

/// Puts what was built into the outputs.
fn collect(kernel: &Kernel) -> String {
    let modules = make(kernel, &[WRAPPED, "INSTALL_MOD_PATH=/out/modules", "INSTALL_MOD_STRIP=1", "modules_install"]);
    let script = "KBUILD_RUN_COMMAND=/src/linux/scripts/package/install-extmod-build /out/headers";
    let headers = make(kernel, &[WRAPPED, "run-command", script]);
    format!(
        "mkdir /out/out /out/modules /out/headers /out/debug
cp arch/x86/boot/bzImage System.map /out/out
cp .config /out/out/config
cp include/config/kernel.release /out/out/release
cp vmlinux /out/debug
if grep -qx CONFIG_MODULES=y .config; then
  {modules}
  rm -f /out/modules/lib/modules/*/build /out/modules/lib/modules/*/source
  {headers}
  cp .config /out/headers
fi"
    )
}
