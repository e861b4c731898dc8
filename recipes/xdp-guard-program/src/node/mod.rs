//! The validator: what it tells of its ports and of the cluster, and what of it is kept.

pub mod cluster;
pub mod discovery;
pub mod memory;
pub mod rpc;
