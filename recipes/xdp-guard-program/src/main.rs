//! Guards the ports of a Solana node with the BPF programs of `bpf/solana-xdp`: attaches them, tells them who the peers
//! are, and tells others what they drop.
//!
//! | module | what it knows |
//! |---|---|
//! | [`abi`] | the values of the maps |
//! | [`config`] | what an administrator decides, and whether it can be done |
//! | [`bpf`] | objects, programs and maps |
//! | [`host`] | interfaces, locks, and what is kept on the machine |
//! | [`node`] | the validator |
//! | [`guard`] | from a config to a program that is attached, and back |
//! | [`agent`] | the guard at work: peers, metrics, samples |
//! | [`failure`] | why a verb could not be done, and its exit code |
//! | [`cli`] | the verbs and their flags |

mod abi;
mod agent;
mod bpf;
mod cli;
mod config;
mod failure;
mod guard;
mod host;
mod node;

fn main() -> std::process::ExitCode {
    cli::run()
}
