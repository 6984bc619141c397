//! Tells the linker where this package's tests find DuckDB's shared library: in the folder
//! that they were linked from.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(folder) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) {
        let folder = folder.canonicalize().unwrap_or(folder);
        println!("cargo:rustc-link-arg-tests=-Wl,-rpath,{}", folder.display());
    }
}
