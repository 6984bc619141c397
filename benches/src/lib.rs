//! Benches of the engine and the language: what they are measured on.

pub mod change;
pub mod province;
pub mod registry;
pub mod stream;
pub mod whole;

/// Numbers without a pattern, the same on every run.
pub(crate) fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// The allocator of the program, so that what is measured is what it does.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
