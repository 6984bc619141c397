//! See the module of this name.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| yiku_fuzz::predicate::run(bytes));
