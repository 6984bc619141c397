//! See the module of this name.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| yiku_fuzz::question::run(bytes));
