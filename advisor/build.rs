//! Builds the pages with npm, so that the binary carries them.
//!
//! Runs only when something under `web/` changed. Without npm the error says which Node is wanted
//! and how to build without pages.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, exit},
};

const WATCHED: [&str; 8] = [
    "web/src",
    "web/index.html",
    "web/openapi.json",
    "web/package.json",
    "web/package-lock.json",
    "web/vite.config.ts",
    "web/svelte.config.js",
    "web/tsconfig.json",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGES").is_none() {
        return;
    }
    for path in WATCHED {
        println!("cargo::rerun-if-changed={path}");
    }
    let web = PathBuf::from("web");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("web");
    install(&web);
    let out = out.to_str().expect("cargo keeps OUT_DIR in a path of UTF-8");
    npm(&web, &["run", "build", "--", "--outDir", out]);
    // The type file is written by the build; its time must not start the next one.
    let _ = fs::remove_file(web.join("src/api.types.ts"));
}

/// `npm ci`, unless the packages of this very lock file are there already.
fn install(web: &Path) {
    let lock = fs::read(web.join("package-lock.json")).unwrap_or_default();
    let mark = web.join("node_modules/.plotwise-lock");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return;
    }
    npm(web, &["ci", "--no-audit", "--no-fund"]);
    if let Err(error) = fs::write(&mark, lock) {
        println!("cargo::warning=could not write {}: {error}", mark.display());
    }
}

fn npm(web: &Path, arguments: &[&str]) {
    let done = Command::new("npm").args(arguments).current_dir(web).output();
    match done {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            eprintln!("{}", String::from_utf8_lossy(&output.stdout));
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            eprintln!("npm {} failed in advisor/web (output above)", arguments.join(" "));
            exit(1);
        }
        Err(error) => {
            eprintln!(
                "npm was not found ({error}). The pages need Node 20.19 or later with npm; to \
                 build without pages: cargo build --no-default-features"
            );
            exit(1);
        }
    }
}
