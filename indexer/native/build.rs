//! Build script of every package whose tests, benches or examples link DuckDB: tells the linker
//! where they find its shared library when they run, which is the folder it was linked from.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    if let Some(folder) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) {
        let folder = folder.canonicalize().unwrap_or(folder);
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", folder.display());
    }
}
