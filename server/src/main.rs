//! The yiku program.

use std::process::ExitCode;

/// Questions make many small lists on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    yiku_server::cli::main()
}
