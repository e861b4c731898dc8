//! What figures were measured on.

use serde::Serialize;

/// A machine, as far as it matters to figures.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cpus: usize,
    pub kernel: String,
}

impl Machine {
    /// This one. What it does not tell is empty.
    pub fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let processor = model.map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_string()).unwrap_or_default();
        let cpus = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
        Machine { processor, cpus, kernel: read("/proc/sys/kernel/osrelease").trim().to_string() }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.kernel.split('-').next().unwrap_or_default();
        write!(out, "{}, {} CPUs, Linux {number}", self.processor, self.cpus)
    }
}
