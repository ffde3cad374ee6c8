//! Lists the catalogue's files, so that a new file in `data/` needs no line of code to be shipped.
//!
//! Writes an array of (name, text) for `include!`; `settings.toml` is not part of the catalogue.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");

    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut names = Vec::new();
    list(&Path::new(&root).join("data"), "data", &mut names)?;
    names.retain(|name| name != "data/settings.toml");
    names.sort();

    let mut code = String::from("&[\n");
    for name in names {
        writeln!(
            code,
            "    ({:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))),",
            format!("config/{name}"),
            format!("/{name}"),
        )
        .map_err(io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(Path::new(&out).join("shipped.rs"), code)
}

fn list(folder: &Path, name: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &name, names)?;
        } else if Path::new(&name).extension().is_some_and(|extension| extension == "toml") {
            names.push(name);
        }
    }
    Ok(())
}
