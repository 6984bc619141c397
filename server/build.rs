//! Tells the linker where the `yiku` program finds DuckDB's shared library when it runs: beside the
//! program, or in the folder that it was linked from.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo:rerun-if-changed=build.rs");
    // The page is embedded: a page that was built later must reach the program.
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rustc-link-arg-bins=-Wl,-rpath,$ORIGIN");
    if let Some(folder) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) {
        let folder = folder.canonicalize().unwrap_or(folder);
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{}", shown(&folder));
        println!("cargo:rustc-link-arg-tests=-Wl,-rpath,{}", shown(&folder));
    }
}

fn shown(folder: &Path) -> std::path::Display<'_> {
    folder.display()
}
