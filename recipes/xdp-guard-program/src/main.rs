//! Guards the ports of a Solana node with the BPF programs of `bpf/solana-xdp`: attaches them, tells them who the peers
//! are, and tells others what they drop.
//!
//! | module | what it knows |
//! |---|---|
//! | [`abi`] | the values of the maps |
//! | [`config`] | what an administrator decides, and whether it can be done |
//! | [`failure`] | why a verb could not be done, and its exit code |
//! | [`cli`] | the verbs and their flags |

mod abi;
mod cli;
mod config;
mod failure;

fn main() -> std::process::ExitCode {
    cli::run()
}
