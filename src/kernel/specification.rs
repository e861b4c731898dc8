//! Where each line of the platform's specification about kernels went: its section 3, "Kernel-Level Optimizations" and
//! what follows, and its section 5, "Custom Kernel Configuration" and "Build Process".
//!
//! The tests hold it against the recipe `kernel` and its fragments, and against what refuses lines.

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a fragment.
    Config(&'static str),
    /// What another symbol, of a fragment, brings along; asking for it does nothing.
    Follows(&'static str),
    /// An argument of the kernel, and so of the unified kernel image.
    Argument(&'static str),
    /// A sysctl of the machine's configuration.
    Sysctl(&'static str),
    /// Refused; what stands for it, if anything does: a line of a fragment or an argument.
    Refused(Option<&'static str>),
    /// Nothing of a kernel: what has it.
    Elsewhere(&'static str),
}

use Place::{Argument, Config, Elsewhere, Follows, Refused, Sysctl};

/// Every line, as the specification has it, in its order.
pub const LINES: [(&str, Place); 57] = [
    ("processor.max_cstate=1", Argument("processor.max_cstate=1")),
    ("intel_idle.max_cstate=0", Argument("intel_idle.max_cstate=0")),
    ("amd_pstate=active", Argument("amd_pstate=active")),
    ("cpufreq.governor=performance", Refused(Some("cpufreq.default_governor=performance"))),
    ("transparent_hugepage=madvise", Argument("transparent_hugepage=madvise")),
    ("vm.swappiness=1", Sysctl("vm.swappiness")),
    ("vm.dirty_ratio=50", Sysctl("vm.dirty_ratio")),
    ("vm.dirty_background_ratio=5", Sysctl("vm.dirty_background_ratio")),
    ("vm.max_map_count=1048576", Sysctl("vm.max_map_count")),
    ("vm.dirty_expire_centisecs=3000", Sysctl("vm.dirty_expire_centisecs")),
    ("vm.dirty_writeback_centisecs=500", Sysctl("vm.dirty_writeback_centisecs")),
    // As an argument it would turn the random place of the kernel off.
    ("hugepagesz=2M", Sysctl("vm.nr_hugepages")),
    ("hugepages=50000", Sysctl("vm.nr_hugepages")),
    ("net.core.rmem_max=268435456", Sysctl("net.core.rmem_max")),
    ("net.core.wmem_max=268435456", Sysctl("net.core.wmem_max")),
    ("net.ipv4.tcp_rmem=4096 131072 268435456", Sysctl("net.ipv4.tcp_rmem")),
    ("net.ipv4.tcp_wmem=4096 65536 268435456", Sysctl("net.ipv4.tcp_wmem")),
    ("net.core.netdev_max_backlog=30000", Sysctl("net.core.netdev_max_backlog")),
    ("net.ipv4.tcp_congestion_control=bbr", Sysctl("net.ipv4.tcp_congestion_control")),
    ("net.ipv4.tcp_syncookies=1", Sysctl("net.ipv4.tcp_syncookies")),
    ("net.ipv4.tcp_max_syn_backlog=65536", Sysctl("net.ipv4.tcp_max_syn_backlog")),
    ("numa_balancing=1", Refused(Some("numa_balancing=enable"))),
    ("intel_iommu=on", Argument("intel_iommu=on")),
    ("amd_iommu=on", Refused(Some("CONFIG_AMD_IOMMU=y"))),
    ("iommu=pt", Argument("iommu=pt")),
    ("policy: strict", Elsewhere("the kubelet's memory manager")),
    ("agave: node: 0", Elsewhere("the validator's pod")),
    ("agave: cpus: 0-63", Elsewhere("the validator's pod")),
    ("agave: memory: local", Elsewhere("the validator's pod")),
    ("firedancer: tiles: network: node0", Elsewhere("the validator's pod")),
    ("firedancer: tiles: execution: node0,node1", Elsewhere("the validator's pod")),
    ("firedancer: tiles: banking: node1", Elsewhere("the validator's pod")),
    ("huge_pages: static_allocation: 50000", Sysctl("vm.nr_hugepages")),
    ("huge_pages: dynamic_adjustment: enabled: true", Elsewhere("the memory optimizer")),
    ("huge_pages: dynamic_adjustment: pressure_threshold: 10-15", Elsewhere("the memory optimizer")),
    ("huge_pages: dynamic_adjustment: cache_correlation: true", Elsewhere("the memory optimizer")),
    ("monitoring: metrics", Elsewhere("the memory optimizer")),
    ("CONFIG_NR_CPUS=128", Refused(Some("CONFIG_NR_CPUS=512"))),
    ("CONFIG_NUMA_BALANCING=y", Config("CONFIG_NUMA_BALANCING=y")),
    ("CONFIG_TRANSPARENT_HUGEPAGE=y", Config("CONFIG_TRANSPARENT_HUGEPAGE=y")),
    ("CONFIG_TRANSPARENT_HUGEPAGE_MADVISE=y", Config("CONFIG_TRANSPARENT_HUGEPAGE_MADVISE=y")),
    ("CONFIG_HUGETLBFS=y", Config("CONFIG_HUGETLBFS=y")),
    ("CONFIG_HUGETLB_PAGE=y", Follows("CONFIG_HUGETLBFS=y")),
    ("CONFIG_XDP_SOCKETS=y", Config("CONFIG_XDP_SOCKETS=y")),
    ("CONFIG_BPF_STREAM_PARSER=y", Config("CONFIG_BPF_STREAM_PARSER=y")),
    ("CONFIG_NET_SCH_FQ=y", Config("CONFIG_NET_SCH_FQ=y")),
    ("CONFIG_TCP_CONG_BBR=y", Config("CONFIG_TCP_CONG_BBR=y")),
    ("CONFIG_PCI_IOV=y", Config("CONFIG_PCI_IOV=y")),
    // As modules they are loaded where a device is handed over, and only there.
    ("CONFIG_VFIO=y", Config("CONFIG_VFIO=m")),
    ("CONFIG_VFIO_PCI=y", Config("CONFIG_VFIO_PCI=m")),
    ("CONFIG_IO_URING=y", Config("CONFIG_IO_URING=y")),
    ("CONFIG_IO_WQ=y", Refused(Some("CONFIG_IO_URING=y"))),
    ("CONFIG_CRYPTO_SHA256_SSSE3=y", Refused(None)),
    ("CONFIG_CRYPTO_SHA512_SSSE3=y", Refused(None)),
    ("make kernel", Elsewhere("`forge build kernel`")),
    ("docker build -t solana-optimizer", Elsewhere("an extension")),
    ("docker run imager installer", Elsewhere("the installer's image")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::command_line::mistakes;
    use super::super::fragment::{self, read};
    use super::super::refused;
    use super::*;

    /// The fragments of the recipe `kernel`.
    const FRAGMENTS: [&str; 5] = [
        include_str!("../../kernel/base.config"),
        include_str!("../../kernel/talos.config"),
        include_str!("../../kernel/hardware.config"),
        include_str!("../../kernel/hardening.config"),
        include_str!("../../kernel/solana.config"),
    ];

    fn config() -> BTreeSet<String> {
        FRAGMENTS.iter().flat_map(|text| read(text).expect("a fragment")).map(|request| request.text()).collect()
    }

    fn command_line() -> Vec<String> {
        let recipe: toml::Table = include_str!("../../kernel/kernel.toml").parse().expect("a recipe");
        let words = recipe["command-line"].as_array().expect("a list").iter();
        words.map(|word| word.as_str().expect("a text").to_owned()).collect()
    }

    /// Whether the lint refuses a line, as one of a fragment or as an argument.
    fn is_refused(line: &str) -> bool {
        match line.starts_with("CONFIG_") {
            true => fragment::read(line).expect("a line").iter().all(|request| refused(request).is_some()),
            false => !mistakes(&["slab_nomerge", "pti=on", line].map(str::to_owned)).is_empty(),
        }
    }

    #[test]
    fn every_line_is_where_it_is_said_to_be() {
        let (config, arguments) = (config(), command_line());
        let there = |line: &str| config.contains(line) || arguments.iter().any(|argument| argument == line);
        for (line, place) in LINES {
            match place {
                Config(asked) | Follows(asked) => assert!(config.contains(asked) && !is_refused(asked), "{line}"),
                Argument(argument) => assert!(arguments.iter().any(|one| one == argument), "{line}"),
                Sysctl(name) => {
                    assert!(is_refused(&format!("{name}=1")) && !arguments.iter().any(|one| one == line), "{line}")
                }
                Refused(instead) => assert!(is_refused(line) && !there(line) && instead.is_none_or(there), "{line}"),
                Elsewhere(what) => assert!(!what.is_empty() && !there(line), "{line}"),
            }
        }
    }
}
