//! Says where the console's build is, to be embedded. A server that is built before the console has none.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let built = variable("CARGO_MANIFEST_DIR").join("../console/dist");
    let embedded = if built.join("index.html").exists() {
        watch(&built)?;
        built.canonicalize()?
    } else {
        let nothing = variable("OUT_DIR").join("no-console");
        fs::create_dir_all(&nothing)?;
        nothing
    };
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rustc-env=STRATORA_CONSOLE={}", embedded.display());
    Ok(())
}

fn watch(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        if path.is_dir() {
            watch(&path)?;
        }
    }
    Ok(())
}
