//! The steps of an installer that forge computes itself: what a machine boots, a disk with it, the image.

use super::Value;
use super::walk::Visit;

/// What a machine boots: kernel, initramfs, command line, and all three as one EFI program.
#[derive(Clone, Debug, PartialEq)]
pub struct Boot<I> {
    /// A tree with `bzImage`.
    pub kernel: I,
    /// A tree with the stub and the initramfs of others.
    pub imager: I,
    /// A tree that becomes the second segment of the initramfs.
    pub layers: I,
    /// The command line.
    pub command_line: String,
    /// What the boot manager shows: an os-release file.
    pub os_release: String,
    /// The entries of the boot manager: what each is called, and its command line if it has one of its own.
    pub profiles: Vec<(String, Option<String>)>,
}

/// A disk that boots by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk<I> {
    /// A tree with the EFI program.
    pub boot: I,
    /// A tree with the boot manager.
    pub imager: I,
    /// What the EFI program is called there.
    pub image_name: String,
    /// The configuration of the boot manager.
    pub loader: String,
    /// The size of the EFI system partition in bytes.
    pub esp_size: u64,
    /// The size of the partition META in bytes.
    pub meta_size: u64,
}

/// An installer: what is booted on top of the base image of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Installer<I> {
    /// What it is called.
    pub name: String,
    /// The layout of the base image.
    pub base: I,
    /// The layer with what is installed.
    pub layer: I,
    /// What is booted: an output beside it.
    pub boot: I,
    /// The disk: an output beside it.
    pub disk: I,
}

impl<I> Boot<I> {
    pub(super) fn inputs(&self) -> Vec<&I> {
        vec![&self.kernel, &self.imager, &self.layers]
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Boot<O>, E> {
        Ok(Boot {
            kernel: output(&self.kernel)?,
            imager: output(&self.imager)?,
            layers: output(&self.layers)?,
            command_line: self.command_line.clone(),
            os_release: self.os_release.clone(),
            profiles: self.profiles.clone(),
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { kernel, imager, layers, command_line, os_release, profiles } = self;
        visit("kernel", Value::Input(kernel));
        visit("imager", Value::Input(imager));
        visit("layers", Value::Input(layers));
        visit("command-line", Value::Text(command_line));
        visit("os-release", Value::Text(os_release));
        visit("profiles", Value::List(profiles.iter().map(|(text, _)| text.as_str()).collect()));
        for (_, line) in profiles {
            visit("profile's command line", Value::Optional(line.as_deref()));
        }
    }
}

impl<I> Disk<I> {
    pub(super) fn inputs(&self) -> Vec<&I> {
        vec![&self.boot, &self.imager]
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Disk<O>, E> {
        Ok(Disk {
            boot: output(&self.boot)?,
            imager: output(&self.imager)?,
            image_name: self.image_name.clone(),
            loader: self.loader.clone(),
            esp_size: self.esp_size,
            meta_size: self.meta_size,
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { boot, imager, image_name, loader, esp_size, meta_size } = self;
        visit("boot", Value::Input(boot));
        visit("imager", Value::Input(imager));
        visit("image-name", Value::Text(image_name));
        visit("loader", Value::Text(loader));
        visit("esp-size", Value::Number(*esp_size));
        visit("meta-size", Value::Number(*meta_size));
    }
}

impl<I> Installer<I> {
    pub(super) fn inputs(&self) -> Vec<&I> {
        vec![&self.base, &self.layer, &self.boot, &self.disk]
    }

    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Installer<O>, E> {
        Ok(Installer {
            name: self.name.clone(),
            base: output(&self.base)?,
            layer: output(&self.layer)?,
            boot: output(&self.boot)?,
            disk: output(&self.disk)?,
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { name, base, layer, boot, disk } = self;
        visit("name", Value::Text(name));
        visit("base", Value::Input(base));
        visit("layer", Value::Input(layer));
        visit("boot", Value::Input(boot));
        visit("disk", Value::Input(disk));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Assemble, Derivation};
    use super::*;
    use crate::digest::Digest;
    use crate::path::RelPath;
    use crate::store::{Blob, Output};

    fn tree(text: &str) -> Output {
        Output::Tree(Blob { digest: Digest::of(text.as_bytes()), size: text.len() as u64 })
    }

    fn boot() -> Boot<Output> {
        Boot {
            kernel: tree("kernel"),
            imager: tree("imager"),
            layers: tree("layers"),
            command_line: "quiet".to_owned(),
            os_release: "ID=x".to_owned(),
            profiles: vec![("ID=main".to_owned(), None), ("ID=other".to_owned(), Some("quiet x".to_owned()))],
        }
    }

    fn disk() -> Disk<Output> {
        Disk {
            boot: tree("boot"),
            imager: tree("imager"),
            image_name: "x.efi".to_owned(),
            loader: "timeout 10".to_owned(),
            esp_size: 1,
            meta_size: 2,
        }
    }

    fn key(assemble: Assemble<Output>) -> String {
        Derivation::Assemble(assemble).key().hex()
    }

    #[test]
    fn golden_keys() {
        let taken = Assemble::Taken { layout: tree("layout"), paths: vec![RelPath::constant("a/b")] };
        let [base, layer, of_boot, of_disk] = ["base", "layer", "boot", "disk"].map(tree);
        let whole = Installer { name: "x".to_owned(), base, layer, boot: of_boot, disk: of_disk };
        let keys = [
            key(taken),
            key(Assemble::Boot(Box::new(boot()))),
            key(Assemble::Disk(Box::new(disk()))),
            key(Assemble::Installer(Box::new(whole))),
        ];
        let golden = [
            "6ae98fde820511e7f78055907e8c44e7a5b800fee67d7a0397433e66c2ba8dda",
            "1d2b3e7e3bef90e5e83f6ccab70176a5a1af7fe6d6f6aef841d58eaca051350c",
            "4d04af84f1871f02a4a645c4f838873fa689967d1359933e064ebdf4b5348225",
            "c7d6bdf7cf3cee9cb985cec1f1288d43aba01dcf0672c4ca51ca5edf10206ed9",
        ];
        assert_eq!(keys, golden, "a changed key makes every store useless: was it meant?");
    }

    #[test]
    fn every_field_counts() {
        let base = key(Assemble::Boot(Box::new(boot())));
        let changes: [fn(&mut Boot<Output>); 6] = [
            |boot| boot.kernel = tree("other"),
            |boot| boot.imager = tree("other"),
            |boot| boot.layers = tree("other"),
            |boot| boot.command_line.clear(),
            |boot| boot.os_release.clear(),
            |boot| boot.profiles[0].1 = boot.profiles[1].1.take(),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = boot();
            change(&mut changed);
            assert_ne!(key(Assemble::Boot(Box::new(changed))), base, "change {number}");
        }
        let base = key(Assemble::Disk(Box::new(disk())));
        let changes: [fn(&mut Disk<Output>); 6] = [
            |disk| disk.boot = tree("other"),
            |disk| disk.imager = tree("other"),
            |disk| disk.image_name.clear(),
            |disk| disk.loader.clear(),
            |disk| disk.esp_size = 3,
            |disk| disk.meta_size = 3,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = disk();
            change(&mut changed);
            assert_ne!(key(Assemble::Disk(Box::new(changed))), base, "change {number}");
        }
    }
}
