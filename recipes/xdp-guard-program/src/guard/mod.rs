//! From a config to a program that is attached, and back.

pub mod attach;
pub mod conflict;
pub mod jiffy;
pub mod packet;
pub mod peers;
pub mod policy;
pub mod site;
pub mod status;
pub mod trial;
