//! Units of kind `installer`. Talos is here in small: its init is the boot probe, its images are made by forge and lie in a
//! registry of this machine. The kernel is the real small one, in the store that tests/kernel.rs uses.

use std::fs;
use std::path::{Path, PathBuf};

use crate::image::sound;
use crate::kernel::ours;
use crate::registry::push::tool;
use crate::registry::real::Real;
use crate::support::Forge;

/// The initramfs of the small Talos, whose init is the probe.
const INITRAMFS: &str = r#"
toolroot = "toolroot-boot"
deps = { probe = "boot-probe" }
steps = [
  "mkdir -p first/forge base/etc",
  "cp /deps/probe/bin/boot-probe first/init",
  "printf '%s\n' 'layers /rootfs.sqsh /0.sqsh /1.sqsh' 'file /root/etc/base=base' 'file /root/usr/lib/udev/rules.d/60-solana-nvme.rules=nvme' 'load nvme' > first/forge/checks",
  "echo base > base/etc/base",
  "mksquashfs base first/rootfs.sqsh -all-root -noappend -no-progress -comp zstd",
  "(cd first; find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible -R +0:+0) | zstd -q > /out/out",
]
"#;

/// An image with files of Talos, which runs nothing.
fn image(files: &str) -> String {
    format!(
        "archive = 'debian'\ncompat = true\nuser = 'talos'\nusers = {{ talos = 10001 }}\nentrypoint = ['/usr/bin/installer']\n\
         [deps]\nprobe = 'boot-probe'\nuki = 'toolroot-uki'\ninitramfs = 'small-initramfs'\n\
         [files]\n'/usr/bin/installer' = 'deps/probe/bin/boot-probe'\n{files}"
    )
}

/// The installer, of images in the registry at `host`.
fn recipe(host: &str) -> String {
    format!(
        "kind = 'installer'\ntalos = '1.10.3'\ntoolroot = 'toolroot-boot'\nkernel = 'kernel-small'\n\
         extensions = ['solana-optimizer']\ncommand-line = ['panic=-1', '-selinux']\n\
         [sources]\nbase = {{ oci = '{host}/base:1' }}\nimager = {{ oci = '{host}/imager:1' }}\n\
         [boot]\ntoolroot = 'toolroot-boot'\n\
         expect = ['FORGE ok layers /rootfs.sqsh /0.sqsh /1.sqsh', 'FORGE ok load nvme', 'FORGE end']\n"
    )
}

/// Whether systemd's ukify makes the same sections of the same parts. It takes the kernel's SBAT into the stub's, which
/// Talos does not.
const UKIFY: &str = r#"
[tests.as-ukify]
toolroot = "toolroot-uki"
steps = ["""
cat > compare.py <<'END'
import pefile, subprocess
def sections(file):
    found = pefile.PE(file, fast_load=True).sections
    return [(one.Name.rstrip(b'\\0').decode(), one.get_data(length=one.Misc_VirtualSize)) for one in found]
def ukify(*arguments):
    subprocess.run(['ukify', 'build', *arguments], check=True)
ours, efi = sections('/deps/boot/metal-amd64-uki.efi'), '/usr/lib/systemd/boot/efi/'
parts = dict(ours[-8:-3])
for name, data in [('osrel', parts['.osrel']), ('profile', ours[-2][1]), ('line', ours[-1][1])]:
    open(name, 'wb').write(data)
ukify('--stub', efi + 'addonx64.efi.stub', '--profile', '@profile', '--cmdline', '@line', '--output', 'second.efi')
ukify('--stub', efi + 'linuxx64.efi.stub', '--linux', '/deps/boot/kernel-amd64',
      '--initrd', '/deps/boot/initramfs-metal-amd64.xz', '--cmdline', '@/deps/boot/cmdline-metal-amd64',
      '--os-release', '@osrel', '--uname', parts['.uname'].decode(), '--profile', 'ID=main',
      '--join-profile', 'second.efi', '--output', 'theirs.efi')
without = lambda all: [(name, data) for name, data in all if name != '.sbat']
assert without(ours) == without(sections('theirs.efi')), [(name, len(data)) for name, data in sections('theirs.efi')]
END
python3 -W ignore compare.py
"""]
"#;

/// A project with the small Talos in a registry.
fn project(real: &Real) -> Forge {
    let forge = ours();
    let boot = "/usr/lib/systemd/boot/efi";
    let imager = format!(
        "'/usr/install/amd64/initramfs.xz' = 'deps/initramfs'\n\
         '/usr/install/amd64/systemd-stub.efi' = 'deps/uki{boot}/linuxx64.efi.stub'\n\
         '/usr/install/amd64/systemd-boot.efi' = 'deps/uki{boot}/systemd-bootx64.efi'\n"
    );
    forge.write("recipes/small-initramfs.toml", INITRAMFS);
    forge.write("images/small-imager.toml", &image(&imager)).write("images/small-base.toml", &image(""));
    drop(forge.run(&["lock"]).success());
    for name in ["imager", "base"] {
        drop(forge.run(&["push", &format!("small-{name}"), &format!("{}/{name}:1", real.host)]).success());
    }
    forge.write("images/small-installer.toml", &[&recipe(&real.host), UKIFY].concat());
    drop(forge.run(&["lock"]).success());
    forge
}

/// The sections of a PE file, as objdump lists them.
fn sections(folder: &Path, file: &str) -> Vec<String> {
    let listed = tool(folder, "objdump", &["-h", file]);
    let rows = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() == 7 && row[0].parse::<u32>().is_ok()).map(|row| row[1].to_owned()).collect()
}

#[test]
fn what_a_machine_boots_from_is_read_by_others_and_boots() {
    let real = Real::start();
    let forge = project(&real);
    let installer = "small-installer";
    let outputs = [installer, "small-installer:boot", "small-installer:disk"];
    let built = forge.run(&[&["build", "--json"][..], &outputs].concat()).success().json();
    let result = forge.project().join("result");

    // The base image with one layer more, in which there are two files.
    let layout = result.join(installer);
    let content = sound(&layout);
    assert_eq!(Some(content.manifests[0].to_string().as_str()), built[0]["manifest"].as_str());
    let from = format!("oci:{}:{installer}", layout.display());
    let [copy, bundle] = ["copy", "bundle"].map(|name| forge.folder().join(name).display().to_string());
    tool(forge.folder(), "skopeo", &["copy", "-q", &from, &format!("oci:{copy}:installer")]);
    tool(forge.folder(), "umoci", &["raw", "unpack", "--rootless", "--image", &format!("{copy}:installer"), &bundle]);
    let boot = result.join("small-installer:boot");
    let uki = fs::read(boot.join("metal-amd64-uki.efi")).unwrap();
    assert!(fs::read(Path::new(&bundle).join("usr/install/amd64/vmlinuz.efi")).unwrap() == uki);
    assert!(Path::new(&bundle).join("usr/bin/installer").exists());

    // The command line is one, in all that has it.
    let line = fs::read_to_string(boot.join("cmdline-metal-amd64")).unwrap();
    assert!(line.starts_with("talos.platform=metal init_on_alloc=1") && line.ends_with(" pti=on panic=-1"), "{line}");
    assert!(!line.contains("selinux") && !line.contains("tty0"), "{line}");
    assert!(fs::read_to_string(boot.join("boot.ipxe")).unwrap().contains(&format!("kernel kernel-amd64 {line}\n")));
    let names = sections(&boot, "metal-amd64-uki.efi");
    let ours = [".osrel", ".cmdline", ".uname", ".linux", ".initrd", ".profile", ".profile", ".cmdline"];
    assert_eq!(names[names.len() - ours.len()..], ours);
    assert_eq!(fs::read(boot.join("kernel-amd64")).unwrap(), fs::read(kernel(&forge)).unwrap(), "the kernel is ours");

    // The initramfs: that of the imager as it is, and a segment of ours.
    let initramfs = fs::read(boot.join("initramfs-metal-amd64.xz")).unwrap();
    drop(forge.run(&["build", "small-initramfs"]).success());
    let base = fs::read(result.join("small-initramfs")).unwrap();
    let segment = initramfs.strip_prefix(&base[..]).expect("the imager's comes first");
    let first = unpacked(&forge, "first", &initramfs);
    assert!(first.join("init").exists() && first.join("rootfs.sqsh").exists());
    let main = unpacked(&forge, "second", segment);
    let list = fs::read_to_string(main.join("extensions.yaml")).unwrap();
    assert!(list.contains("image: 0.sqsh") && list.contains("name: solana-optimizer"), "{list}");
    let modules = tool(&main, "unsquashfs", &["-l", "0.sqsh"]);
    assert!(modules.contains("/usr/lib/modules/") && modules.contains("modules.dep.bin"), "{modules}");

    // The disk.
    tool(
        forge.folder(),
        "zstd",
        &["-q", "-d", "-f", &result.join("small-installer:disk").display().to_string(), "-o", "disk.raw"],
    );
    assert!(tool(forge.folder(), "sfdisk", &["--verify", "disk.raw"]).contains("No errors"));

    // ukify makes the same, and so does another world.
    assert_eq!(forge.run(&["test", installer]).success().says("0 failed").stdout.matches("ok ").count(), 2);
    assert!(forge.run(&["check", installer]).success().stdout.contains("reproducible"));

    // All of them boot.
    let ran = forge.run(&["boot-test", installer]).success();
    let expected =
        ["kernel and initramfs", "UKI", "disk", "iPXE"].map(|form| format!("ok {installer}: {form}\n")).concat();
    assert_eq!(ran.stdout, expected);
}

/// What `unmkinitramfs` makes of an initramfs.
fn unpacked(forge: &Forge, name: &str, initramfs: &[u8]) -> PathBuf {
    let (file, folder) = (forge.folder().join(format!("{name}.initramfs")), forge.folder().join(name));
    fs::write(&file, initramfs).unwrap();
    tool(forge.folder(), "unmkinitramfs", &[&file.display().to_string(), &folder.display().to_string()]);
    folder
}

fn kernel(forge: &Forge) -> PathBuf {
    drop(forge.run(&["build", "kernel-small"]).success());
    forge.project().join("result/kernel-small/bzImage")
}

#[test]
fn what_an_installer_lacks_is_told() {
    let real = Real::start();
    let forge = project(&real);
    let recipe = recipe(&real.host);
    for (from, to, words) in [
        (
            "/imager:1",
            "/base:1",
            "the image has no file /usr/install/amd64/initramfs.xz: is it the right one?".to_owned(),
        ),
        ("'panic=-1'", &format!("'{}'", "x".repeat(1900)), "the kernel reads 2047".to_owned()),
    ] {
        forge.write("images/small-installer.toml", &recipe.replace(from, to));
        let built = forge.run(&["lock"]);
        let built = if built.exit() == Some(0) { forge.run(&["build", "small-installer"]) } else { built };
        assert!(built.exit() != Some(0));
        drop(built.says(&words));
    }
}

/// Images that can't be looked up here leave the rest of a project alone.
#[test]
fn what_is_locked_on_demand_is_left_alone() {
    let forge = ours();
    let lock = forge.run(&["lock", "--check"]).success();
    drop(
        lock.says("not locked, as nobody asked: installer/base, installer/imager; `forge lock --update UNIT` locks it"),
    );
    let built = forge.run(&["build", "installer"]).code(2);
    drop(
        built
            .says("`installer` is locked on demand, and is not locked")
            .says("`forge lock --update installer` locks it"),
    );
    assert!(forge.run(&["list"]).success().stdout.contains("  installer "));
}
