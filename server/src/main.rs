//! The yiku program.

use std::process::ExitCode;

fn main() -> ExitCode {
    yiku_server::cli::main()
}
