//! `forge boot-test` and `forge sign-modules`, with a Linux of a few lines, and for a kernel a few instructions that print
//! a text and end the machine. `just kernel` boots a real one.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::kernel::ours;
use crate::support::{Forge, Run};

/// A kernel with one module.
const RECIPE: &str = "base = 'tinyconfig'\ntoolroot = 'toolroot-kernel'\nlocalversion = '-t'\n\
                      sources.linux = { path = ['Makefile', 'Kconfig', 'machine.S', 'said', 'scripts/**'] }\n\
                      fragments = ['one.config']\ncertificate = 'dev.crt'\ncommand-line = ['slab_nomerge', 'pti=on']\n";

/// How it is tried.
const BOOT: &str = "[boot]\ntoolroot = 'toolroot-boot'\nprobe = 'stub'\n\
                    sysctls = { 'vm.swappiness' = '1' }\nfiles = { '/proc/x' = \"it's [y]\" }\n";

/// What is checked by that recipe, without devices.
const CHECKS: [&str; 11] = [
    "config",
    "argument slab_nomerge",
    "argument pti=on",
    "file /forge/segment=second",
    "layers /rootfs.sqsh /0.sqsh /1.sqsh",
    "file /root/etc/forge/base=base",
    "file /root/etc/forge/0=0",
    "file /root/etc/forge/top=1",
    "file /sys/devices/system/node/has_memory=0-1",
    "sysctl vm.swappiness=1",
    "file /proc/x=it's [y]",
];

/// The project; `fields` are more of the recipe, before its tables.
fn project(fields: &str) -> Forge {
    let forge = ours();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(here.join(path)).unwrap();
    forge.write(
        "recipes/stub.toml",
        "toolroot = 'toolroot-kernel'\nsteps = ['mkdir -p /out/out/bin; touch /out/out/bin/stub']\n",
    );
    let makefile = read("tests/kernel/linux/Makefile");
    let image = "\tgcc -c machine.S -o $(O)/machine.o\n\tobjcopy -O binary -j .text $(O)/machine.o \
                 $(O)/arch/x86/boot/bzImage\n\techo x > $(O)/System.map\n\techo x > $(O)/vmlinux\n";
    let (before, rest) = makefile.split_once("bzImage:\n").unwrap();
    let (_, rest) = rest.split_once("modules: ").unwrap();
    let makefile = format!("{before}bzImage:\n{image}modules: {rest}");
    let ko = "\techo '__attribute__((section(\".modinfo\"))) char m[] = \"vermagic=$(REL) SMP \";' | gcc -x c -c - -o $(MODULES)/a.ko\n";
    let makefile: String =
        makefile.lines().map(|line| if line.contains("a.ko") { ko.to_owned() } else { format!("{line}\n") }).collect();
    replace(&forge, "kernel/mini/Makefile", &makefile);
    forge.write("kernel/mini/one.config", "CONFIG_MODULES=y\n");
    forge.write("kernel/mini/dev.crt", &read("kernel/keys/dev.crt"));
    forge.write("kernel/mini/machine.S", &read("tests/boot/machine.S"));
    forge.write("kernel/mini/recipe.toml", &format!("{RECIPE}{fields}{BOOT}"));
    says(&forge, &answers(|_| "ok"));
    forge
}

/// Writes a file that may be a link to that of this repository.
fn replace(forge: &Forge, path: &str, text: &str) {
    let _ = fs::remove_file(forge.project().join(path));
    forge.write(path, text);
}

/// Lets the kernel say that.
fn says(forge: &Forge, text: &str) {
    forge.write("kernel/mini/said", text);
}

/// What a probe prints, with a word for each check.
fn answers(word: impl Fn(&str) -> &'static str) -> String {
    let line = |check: &&str| match word(check) {
        "ok" => format!("FORGE ok {check}\r\n"),
        "FAIL" => format!("FORGE FAIL {check}: it is otherwise\r\n"),
        _ => String::new(),
    };
    format!("[ 0.1] Linux\r\n{}FORGE end {}\r\n", CHECKS.iter().map(line).collect::<String>(), CHECKS.len())
}

/// The lines of a verb's answer that begin with a word.
fn begin<'r>(run: &'r Run, word: &str) -> Vec<&'r str> {
    run.stdout.lines().filter(|line| line.starts_with(word)).collect()
}

#[test]
fn each_check_has_a_line_and_a_good_boot_is_remembered() {
    let forge = project("");
    // The store is kept from run to run, and this boot must be a new one.
    says(&forge, &format!("[ 0.0] {:?}\r\n{}", SystemTime::now(), answers(|_| "ok")));
    assert_eq!(forge.run(&["boot-test", "mini", "--dry-run"]).success().stdout, "run     mini\n");
    let first = forge.run(&["boot-test", "mini"]).success();
    let want: Vec<String> = CHECKS.iter().map(|check| format!("ok mini: {check}")).collect();
    assert_eq!(first.stdout.lines().collect::<Vec<_>>(), want);
    let again = forge.run(&["boot-test", "mini", "--json"]).success().json();
    assert_eq!(again.len(), CHECKS.len());
    assert_eq!((&again[0]["check"], &again[0]["cached"]), (&"config".into(), &true.into()));
    assert_eq!(forge.run(&["boot-test", "mini", "--dry-run"]).success().stdout, "cached  mini\n");
    assert_eq!(forge.run(&["boot-test", "mini", "--rebuild", "--json"]).success().json()[0]["cached"], false);
    // It is a test of the unit like others, with a log.
    assert_eq!(forge.run(&["test", "mini"]).success().stdout, "ok mini: boot\n");
    assert!(forge.run(&["log", "mini", "--test", "boot"]).success().stdout.contains("[ 0.1] Linux"));
}

#[test]
fn what_a_kernel_does_not_show_fails() {
    let forge = project("");
    says(&forge, &answers(|check| if check.starts_with("sysctl") { "FAIL" } else { "ok" }));
    let run = forge.run(&["boot-test", "mini"]).code(1).says("`forge log mini --test boot` prints all of it");
    assert_eq!(begin(&run, "FAIL"), ["FAIL mini: sysctl vm.swappiness=1: it is otherwise"]);
    assert_eq!(begin(&run, "ok").len(), CHECKS.len() - 1);
    // A kernel that gives up, or is ended, did not show the rest.
    says(&forge, "FORGE ok config\r\n[ 3.0] Kernel panic - not syncing: No working init found.\r\n");
    let run = forge.run(&["boot-test", "mini"]).code(1);
    assert_eq!(begin(&run, "ok"), ["ok mini: config"]);
    let lost = begin(&run, "FAIL");
    assert_eq!(lost.len(), CHECKS.len() - 1);
    assert!(lost[0].starts_with("FAIL mini: argument slab_nomerge: the machine ended before; "), "{}", lost[0]);
    assert!(lost[0].ends_with("No working init found."), "{}", lost[0]);
    let json = forge.run(&["boot-test", "mini", "--json"]).code(1).json();
    assert_eq!((&json[1]["status"], &json[0]["status"]), (&"failed".into(), &"ok".into()));
    // One that hangs is ended in time.
    says(&forge, "booting\n");
    let machine = fs::read_to_string(forge.project().join("kernel/mini/machine.S")).unwrap();
    forge.write("kernel/mini/machine.S", &format!("#define HANGS\n{machine}"));
    forge.write("kernel/mini/recipe.toml", &format!("{RECIPE}{BOOT}timeout-seconds = 2\n"));
    let run = forge.run(&["boot-test", "mini"]).code(1).says("killed after 2 s");
    assert!(begin(&run, "FAIL")[0].ends_with("its last words: booting"), "{}", run.stdout);
    // One that can't be built is not tried.
    forge.write("kernel/mini/one.config", "CONFIG_NO_SUCH=y\n");
    let run = forge.run(&["boot-test", "mini"]).code(1);
    assert_eq!(run.stdout, "skip mini: it needs `mini: judge configuration`, which failed\n");
}

#[test]
fn mistakes_in_a_recipe_are_told() {
    let forge = project("");
    for (fields, boot, words) in [
        ("", "[boot]\nprobe = 'stub'\n", "`[boot]` has no `toolroot`"),
        ("", "[boot]\ntoolroot = 'toolroot-boot'\n", "`[boot]` has no `probe`"),
        ("", "[boot]\ntoolroot = 'stub'\nprobe = 'stub'\n", "`stub` is of kind `cmd`, not `toolroot`"),
        ("", &format!("{BOOT}devices = ['nvme']\n"), "the drivers of devices are modules, and these are unsigned"),
        ("signing = 'dev'\n", &format!("{BOOT}devices = ['nwme']\n"), "did you mean `nvme`?"),
        (
            "",
            "[boot]\ntoolroot = 'toolroot-boot'\nprobe = 'stub'\nexpect = ['up']\n",
            "a kernel is checked by its probe",
        ),
        ("", "[boot.sysctls]\n'vm/x' = '1'\n", "`vm/x` is not a name such as `vm.swappiness`"),
        ("", "[boot.files]\n'x' = '1'\n", "`x` is not an absolute path"),
        ("", "[boot.files]\n'/x' = '''1\n2'''\n", "this is no line"),
        ("signing = 'prod'\n", "", "modules are not signed by `prod`"),
        ("signing = 'dev'\nsignatures = 's'\n", "", "signatures are kept only of modules"),
        ("", &format!("{BOOT}[tests.boot]\nsteps = ['true']\n"), "the test `boot` is what [boot] describes"),
    ] {
        forge.write("kernel/mini/recipe.toml", &format!("{RECIPE}{fields}{boot}"));
        let _ = forge.run(&["list"]).code(2).says(words);
    }
    forge.write(
        "kernel/mini/recipe.toml",
        &format!("{}signing = 'dev'\n", RECIPE.replace("certificate = 'dev.crt'\n", "")),
    );
    let _ = forge.run(&["list"]).code(2).says("modules are signed for a certificate, and there is none");
    forge.write("kernel/mini/recipe.toml", RECIPE);
    let _ = forge.run(&["boot-test", "mini"]).code(2).says("`mini` is nothing that can be booted").says("kernel/mini");
    let _ = forge.run(&["boot-test", "stub"]).code(2).says("only kernels and installers may have one");
}

#[test]
fn signed_at_hand_or_with_kept_signatures_the_modules_are_the_same() {
    let forge = project("signing = 'dev'\n");
    let outputs = ["build", "mini:modules", "mini:unsigned", "--json"];
    let dev = forge.run(&outputs).success().json();
    forge.write("kernel/mini/recipe.toml", &format!("{RECIPE}signing = 'detached'\n{BOOT}"));
    let run = forge.run(&outputs).code(1).says("there are no signatures of these modules, sha256:");
    let _ = run.says("`forge sign-modules NAME --key FILE`");
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernel/keys/dev.pem").display().to_string();
    let sign = ["sign-modules", "mini", "--key", &key];
    let dry = forge.run(&[&sign[..], &["--dry-run"]].concat()).success();
    assert!(dry.stdout.starts_with("would sign 1 module, sha256:"), "{}", dry.stdout);
    assert!(!forge.project().join("kernel/mini/signatures").exists());
    let told = &forge.run(&[&sign[..], &["--json"]].concat()).success().json()[0];
    assert_eq!((&told["modules"], &told["written"]), (&1.into(), &true.into()));
    let file = Path::new(told["path"].as_str().unwrap()).join("lib/modules/6.0.0-t/a.ko.p7s");
    assert!(file.starts_with(forge.project().join("kernel/mini/signatures")), "{}", file.display());
    let digest = |lines: &[serde_json::Value]| lines[0]["outputs"].as_array().unwrap().clone();
    assert_eq!(digest(&forge.run(&outputs).success().json()), digest(&dev));
    // A signature that does not fit, and none.
    let signature = fs::read(&file).unwrap();
    let damaged: Vec<u8> = [&signature[..signature.len() - 1], &[signature[signature.len() - 1] ^ 1]].concat();
    fs::write(&file, damaged).unwrap();
    let _ = forge.run(&outputs).code(1).says("a.ko: the signature does not fit the module");
    fs::rename(&file, file.with_file_name("b.ko.p7s")).unwrap();
    let _ = forge.run(&outputs).code(1).says("a.ko: no signature").says("b.ko: signed, and not there");
}

#[test]
fn keys_that_do_not_fit_sign_nothing() {
    let forge = project("signing = 'detached'\n");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/artifact/module");
    for (key, words) in [("pkcs1.pem", "does not belong to the certificate"), ("elliptic.pem", "it is no RSA key")] {
        let key = here.join(key).display().to_string();
        let _ = forge.run(&["sign-modules", "mini", "--key", &key]).code(2).says(words).says(&key);
    }
    let key = forge.project().join("none.pem").display().to_string();
    let _ = forge.run(&["sign-modules", "mini", "--key", &key]).code(2).says("No such file");
    let _ = forge.run(&["sign-modules", "stub", "--key", &key]).code(2).says("only a kernel has modules");
    forge.write("kernel/mini/recipe.toml", RECIPE);
    let key = here.join("../../../kernel/keys/dev.pem").display().to_string();
    let _ = forge.run(&["sign-modules", "mini", "--key", &key]).code(2).says("attaches no signatures that are kept");
    let out = forge.folder().join("elsewhere").display().to_string();
    let told = forge.run(&["sign-modules", "mini", "--key", &key, "--out", &out]).success();
    assert!(told.stdout.contains(&out), "{}", told.stdout);
}
