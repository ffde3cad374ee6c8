//! Device profiles: what is refused and where, and that what was read can be written.

use proptest::prelude::*;

use super::{shipped::shipped, *};
use crate::catalogue::profile::{Path, Place};

const PROFILE: &str = r#"
[[profile]]
key = "acme"
maker = "Acme"
name = { zh = "甲", en = "Acme" }
source = "made up"
probe_depths_m = [0.1, 0.3]
ignored = [{ at = "kind", is = ["hello"], why = "a greeting" }]
[[profile.field]]
quantity = "soil_moisture"
from = ["water", ["a.b", "c"]]
unit = "%"
faults = [{ is = [99.9], with = { at = "state", is = ["broken"] } }]
[profile.history]
at = ["past"]
time = ["at"]
[profile.log]
at = ["log"]
time = "time"
[[profile.log.field]]
quantity = "soil_moisture"
from = ["M", 2]
"#;

/// One piece of the profile changed makes one mistake, on this line of it, with these words.
#[track_caller]
fn changed(piece: &str, becomes: &str, line: usize, words: &[&str]) {
    assert_eq!(PROFILE.matches(piece).count(), 1, "{piece:?} stands there exactly once");
    let text = format!("{SMALL}\n{}", PROFILE.replace(piece, becomes));
    let mistakes = mistakes_of(&text);
    let [mistake] = mistakes.as_slice() else {
        panic!("{becomes:?}: wanted one mistake, found {mistakes:#?}")
    };
    let at = SMALL.matches('\n').count() + 1 + line;
    let place = format!("small.toml:{at}: ");
    assert!(mistake.starts_with(&place), "wanted {place}, found {mistake}");
    for word in words {
        assert!(mistake.contains(word), "wanted {word:?} in {mistake}");
    }
}

#[test]
fn a_profile_is_found_by_its_key() {
    let catalogue = Catalogue::parse(&[("small.toml", SMALL), ("acme.toml", PROFILE)]).unwrap();
    let profile = catalogue.profile("acme").unwrap();
    assert_eq!(profile.fields[0].from.len(), 2);
    assert_eq!(profile.fields[0].from[1].to_string(), "a.b.c");
    assert_eq!(profile.timezone, "UTC");
    assert!(catalogue.check_profile("acme").is_ok() && catalogue.check_profile("native").is_ok());
}

#[test]
fn a_profile_that_nobody_wrote_is_refused_with_the_nearest() {
    let catalogue = shipped();
    for (found, near) in [
        ("dragino_lse1", "dragino_lse01"),
        ("S2105", "sensecap_s210x"),
        ("em500-smtc", "milesight_em500_smtc"),
        ("nativ", "native"),
    ] {
        let said = catalogue.check_profile(found).unwrap_err().to_string();
        assert!(said.contains(&format!("(did you mean {near}?)")), "{said}");
    }
    let said = catalogue.check_profile("weather_balloon").unwrap_err().to_string();
    assert!(!said.contains("did you mean") && said.contains("plotwise profiles list"), "{said}");
}

#[test]
fn the_profiles_of_the_interface_are_shipped() {
    let catalogue = shipped();
    for key in [
        "dragino_lse01",
        "dragino_lsph01",
        "dragino_se01_lb",
        "dragino_se0x_lb",
        "dragino_sph01_lb",
        "sensecap_s210x",
        "milesight_em500_smtc",
        "milesight_em500_lgt",
        "zigbee2mqtt_soil",
    ] {
        assert!(catalogue.profile(key).is_some(), "{key}");
    }
}

#[test]
fn mistakes_of_a_profile_are_named_at_their_line() {
    changed("key = \"acme\"", "key = \"native\"", 3, &["profile native, key", "not native"]);
    changed("key = \"acme\"", "key = \"Acme X\"", 3, &["a-z 0-9 _"]);
    changed("source = \"made up\"", "source = \"\"", 6, &["where the figures come from"]);
    changed("probe_depths_m = [0.1, 0.3]", "probe_depths_m = [0.1, 70]", 7, &["70", "0 to 60"]);
    changed("probe_depths_m = [0.1, 0.3]", "probe_depths_m = [0.1, 0.1]", 7, &["a second time"]);
    changed(", why = \"a greeting\"", "", 8, &["ignored.0", "no reason"]);
    changed("at = \"kind\", is = [\"hello\"], ", "", 8, &["ignored.0", "a condition on nothing"]);
    changed("at = \"kind\", ", "byte = 3, ", 8, &["byte without mask"]);
    changed(
        "\"soil_moisture\"\nfrom = [\"water\"",
        "\"soil_mositure\"\nfrom = [\"water\"",
        10,
        &["field.0.quantity", "did you mean soil_moisture?"],
    );
    changed("[\"water\", [\"a.b\", \"c\"]]", "[]", 11, &["field.0.from", "found nothing"]);
    changed("[\"water\", [\"a.b\", \"c\"]]", "[7]", 11, &["field.0.from.0", "a path"]);
    changed(
        "[\"water\", [\"a.b\", \"c\"]]",
        "[\"soil..water\"]",
        11,
        &["keys with dots between them"],
    );
    changed(
        "unit = \"%\"",
        "unit = \"kPa\"",
        12,
        &["field.0.unit", "\"kPa\" is no unit of soil_moisture"],
    );
    changed("unit = \"%\"", "depth_m = -1", 12, &["field.0.depth_m", "0 to 60"]);
    changed("unit = \"%\"", "unti = \"%\"", 12, &["unknown field `unti`"]);
    changed("is = [99.9]", "is = [[]]", 13, &["a number, a text, or true or false"]);
    changed("is = [99.9]", "is = [\"0\"], character_of_probe = true", 13, &["a field with {n}"]);
    changed("at = [\"past\"]", "at = []", 15, &["history.at", "at least one path"]);
    changed("time = \"time\"", "time = 0", 19, &["log.time", "from 1"]);
    changed("[\"M\", 2]", "[\"M\", -2]", 22, &["log.field.0.from.1", "the number of a column"]);
    changed("probe_depths_m", "timezone = \"Mars\"\nprobe_depths_m", 7, &["\"Mars\"", "IANA"]);
    let twice = format!("{SMALL}{PROFILE}{PROFILE}");
    assert!(mistakes_of(&twice)[0].contains("a second time"));
}

#[test]
fn a_field_of_probes_needs_their_depths() {
    let text =
        PROFILE.replace("probe_depths_m = [0.1, 0.3]\n", "").replace("\"water\"", "\"water{n}\"");
    let mistakes = mistakes_of(&format!("{SMALL}\n{text}"));
    assert!(mistakes.len() == 1 && mistakes[0].contains("probe_depths_m"), "{mistakes:#?}");
}

#[test]
fn two_fields_of_one_quantity_need_two_depths() {
    let more = "[[profile.field]]\nquantity = \"soil_moisture\"\nfrom = [\"w2\"]\n";
    let text = PROFILE.replace("[profile.history]", &format!("{more}[profile.history]"));
    let mistakes = mistakes_of(&format!("{SMALL}\n{text}"));
    assert!(mistakes.len() == 1 && mistakes[0].contains("field.1.quantity"), "{mistakes:#?}");
    let text = text.replace("[\"w2\"]", "[\"w2\"]\ndepth_m = 0.6");
    assert_eq!(mistakes_of(&format!("{SMALL}\n{text}")), Vec::<String>::new());
}

#[test]
fn what_was_read_can_be_written_and_read_again() {
    let catalogue = shipped();
    let small = Catalogue::parse(&[("small.toml", SMALL), ("acme.toml", PROFILE)]).unwrap();
    for profile in catalogue.profiles().iter().chain(small.profiles()) {
        let text = profile.to_toml().unwrap();
        let mut draft = Draft::default();
        draft.read(0, "written.toml", &text);
        assert_eq!(draft.mistakes, [], "{text}");
        assert_eq!(draft.profiles[0].value, *profile, "{text}");
    }
}

#[test]
fn a_file_is_tried_on_top_of_the_folders() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.toml");
    fs::write(&file, PROFILE).unwrap();
    let (catalogue, keys) = Catalogue::load_with(&[], &file).unwrap();
    assert_eq!(keys, ["acme"]);
    assert!(catalogue.profile("dragino_lse01").is_some());
    fs::write(&file, "[[profile]]\nkey = 5\n").unwrap();
    let error = Catalogue::load_with(&[folder.path().to_owned()], &file).unwrap_err();
    assert!(error.to_string().contains("acme.toml:2"), "{error}");
}

#[test]
fn a_path_with_a_dot_in_a_key_is_written_as_an_array() {
    let path: Place = toml::from_str::<toml::Table>("p = [\"a.b\", \"c\"]").unwrap()["p"]
        .clone()
        .try_into()
        .unwrap();
    assert_ne!(path, Place::Path(Path::parse("a.b.c")));
    assert_eq!(Path::parse("a.{n}").of_probe(1), Path::parse("a.2"));
    assert_eq!(Path::parse("a.{i}").of_probe(1), Path::parse("a.1"));
}

proptest! {
    #[test]
    fn any_text_is_a_catalogue_or_is_not(text in ".{0,200}") {
        let _ = Catalogue::parse(&[("small.toml", SMALL), ("any.toml", &text)]);
    }

    #[test]
    fn lines_of_a_profile_in_any_order_are_read_or_refused(
        lines in proptest::collection::vec(0_usize..30, 0..25), cut in 0_usize..40,
    ) {
        let all: Vec<&str> = PROFILE.lines().collect();
        let picked: Vec<&str> = lines.iter().map(|line| all[line % all.len()]).collect();
        let mut text = picked.join("\n");
        let keep = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(text.len() - at));
        text.truncate(text.len() - keep.unwrap_or(0));
        let _ = Catalogue::parse(&[("small.toml", SMALL), ("any.toml", &text)]);
    }
}
