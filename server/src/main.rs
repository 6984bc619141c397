//! The yiku program.

use std::process::ExitCode;

/// Questions make many lists on many threads, one after the other: what one gave back the next
/// takes.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    yiku_server::cli::main()
}
