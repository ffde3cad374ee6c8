//! Bad input: each with a clear error, and nothing changed.

use crate::plotwise::Plotwise;

#[test]
fn a_settings_file_with_a_typo_is_refused_by_key() {
    let plotwise = Plotwise::new();
    let file = plotwise.file("typo.toml", "[http]\nlisen = \"127.0.0.1:8080\"\n");
    let said = plotwise.refused(&["config", "check", "--config", file.to_str().unwrap()]);
    assert!(said.contains("typo.toml"), "{said}");
    assert!(said.contains("lisen"), "{said}");
    assert!(said.contains("listen"), "{said}");
}

#[test]
fn an_address_beyond_loopback_is_refused_because_there_is_no_sign_in_yet() {
    let plotwise = Plotwise::new();
    let said = plotwise.refused(&["serve", "--http", "0.0.0.0:8080"]);
    assert!(said.contains("0.0.0.0:8080"), "{said}");
    assert!(said.contains("sign-in"), "{said}");
}
