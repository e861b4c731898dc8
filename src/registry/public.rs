//! Registries that anybody can read from: what is not free never goes there.

use super::Host;

/// Names of such registries; those of their subdomains count too.
const PUBLIC: [&str; 14] = [
    "docker.io",
    "docker.com",
    "ghcr.io",
    "quay.io",
    "public.ecr.aws",
    "gcr.io",
    "pkg.dev",
    "k8s.io",
    "mcr.microsoft.com",
    "registry.gitlab.com",
    "registry.access.redhat.com",
    "cgr.dev",
    "ttl.sh",
    "codeberg.org",
];

/// Whether all the world may read from a registry.
#[must_use]
pub fn is_public(host: &Host) -> bool {
    let name = host.name().rsplit_once(':').map_or(host.name(), |(name, _)| name).to_ascii_lowercase();
    PUBLIC
        .iter()
        .any(|public| name.strip_suffix(public).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ones() {
        for (name, public) in [
            ("docker.io", true),
            ("GHCR.io:443", true),
            ("europe-docker.pkg.dev", true),
            ("eu.gcr.io", true),
            ("notdocker.io", false),
            ("registry.example.org", false),
            ("docker.io.example.org", false),
        ] {
            assert_eq!(is_public(&Host::new(name)), public, "{name}");
        }
    }
}
