//! The BPF programs: their objects, what the kernel has of them, and their maps.

pub mod kernel;
pub mod maps;
pub mod object;
pub mod program;
