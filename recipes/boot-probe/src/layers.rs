//! The root file system as the init of Talos makes it: each squashfs image is mounted from a loop device, and all are
//! laid one over the other, read-only, later ones on top.

use std::ffi::CString;
use std::fs;

use rustix::mount::{MountFlags, mount};

use super::loop_device;

/// Where the images are mounted.
const LAYERS: &str = "/layers";
/// Where all together are.
pub const ROOT: &str = "/root";

/// Mounts `images`, the lowest first.
///
/// # Errors
/// Names what can't be mounted.
pub fn lay(images: &[&str]) -> Result<(), String> {
    for (number, image) in images.iter().enumerate() {
        let place = place(number);
        let device = loop_device::attach(image).map_err(|error| format!("{image} in a loop device: {error}"))?;
        let mounted = fs::create_dir_all(&place)
            .and_then(|()| Ok(mount(&device, &place, "squashfs", MountFlags::RDONLY, None::<&std::ffi::CStr>)?));
        mounted.map_err(|error| format!("{image} as squashfs: {error}"))?;
    }
    let options = CString::new(options(images.len())).map_err(|error| error.to_string())?;
    let mounted = fs::create_dir_all(ROOT)
        .and_then(|()| Ok(mount("overlay", ROOT, "overlay", MountFlags::RDONLY, options.as_c_str())?));
    mounted.map_err(|error| format!("overlay: {error}"))
}

fn place(number: usize) -> String {
    format!("{LAYERS}/{number}")
}

/// overlayfs has the top first.
fn options(count: usize) -> String {
    let places: Vec<_> = (0..count).rev().map(place).collect();
    format!("lowerdir={}", places.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_on_top() {
        assert_eq!(options(3), "lowerdir=/layers/2:/layers/1:/layers/0");
    }
}
