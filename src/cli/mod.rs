//! The command line.
#![allow(missing_docs)]
pub fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).as_deref() == Some(crate::sandbox::HELPER_ARG) {
        crate::sandbox::helper_main()
    }
    std::process::ExitCode::SUCCESS
}
