//! The forge program; `forge::cli` is all of it.

fn main() -> std::process::ExitCode {
    forge::cli::main()
}
