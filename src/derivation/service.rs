//! What runs beside a command: a program in a root of its own, which shares the command's network and its end.

use std::collections::BTreeMap;

use super::Value;
use super::walk::{Visit, list, table};
use crate::path::RelPath;

/// A program that a test talks to, in nothing but the file system of its image.
#[derive(Clone, Debug, PartialEq)]
pub struct Service<I> {
    /// Its file system.
    pub root: I,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// The folder it starts in.
    pub cwd: String,
    /// Folders of the file system that are empty and writable for it.
    pub writable: Vec<RelPath>,
    /// The user that it runs as, and with it the command.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl<I> Service<I> {
    pub(super) fn resolve<O, E>(&self, output: &mut impl FnMut(&I) -> Result<O, E>) -> Result<Service<O>, E> {
        Ok(Service {
            root: output(&self.root)?,
            argv: self.argv.clone(),
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            writable: self.writable.clone(),
            uid: self.uid,
            gid: self.gid,
        })
    }

    pub(super) fn walk(&self, visit: Visit<'_, I>) {
        let Self { root, argv, env, cwd, writable, uid, gid } = self;
        visit("service-root", Value::Input(root));
        visit("service-argv", list(argv));
        visit("service-env", table(env));
        visit("service-cwd", Value::Text(cwd));
        visit("service-writable", Value::List(writable.iter().map(RelPath::as_str).collect()));
        visit("service-uid", Value::Number(u64::from(*uid)));
        visit("service-gid", Value::Number(u64::from(*gid)));
    }
}
