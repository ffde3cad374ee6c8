use std::fs;

use super::*;

mod profiles;
mod shipped;

const SMALL: &str = include_str!("tests/small.toml");

fn small() -> Catalogue {
    Catalogue::parse(&[("small.toml", SMALL)]).expect("the small catalogue has no mistake")
}

/// The small catalogue with one line changed, and what is then said of it.
fn mistakes_after(line: &str, becomes: &str) -> Vec<String> {
    assert_eq!(SMALL.matches(line).count(), 1, "{line:?} stands in small.toml exactly once");
    mistakes_of(&SMALL.replace(line, becomes))
}

fn mistakes_of(text: &str) -> Vec<String> {
    match Catalogue::parse(&[("small.toml", text)]) {
        Ok(_) => Vec::new(),
        Err(error) => error.mistakes.iter().map(ToString::to_string).collect(),
    }
}

/// One line changed makes one mistake, at that line, with these words.
#[track_caller]
fn refused(line: &str, becomes: &str, words: &[&str]) {
    let mistakes = mistakes_after(line, becomes);
    let at = SMALL[..SMALL.find(line).expect("the line is there")].matches('\n').count() + 1;
    let [mistake] = mistakes.as_slice() else {
        panic!("{becomes:?}: wanted one mistake, found {mistakes:#?}")
    };
    let place = format!("small.toml:{at}: ");
    assert!(mistake.starts_with(&place), "wanted {place}, found {mistake}");
    for word in words {
        assert!(mistake.contains(word), "wanted {word:?} in {mistake}");
    }
}

#[test]
fn keys_lead_to_their_entries() {
    let catalogue = small();
    let number = catalogue.quantity_no("cadmium").unwrap();
    assert_eq!(catalogue.quantity(number).key, "cadmium");
    assert_eq!(catalogue.quantity_no("gold"), None);
    assert_eq!(catalogue.crop("sweet_potato").unwrap().scientific, "Ipomoea batatas");
    assert_eq!(catalogue.variety("xushu_18").unwrap().name.zh, "徐薯18");
    assert_eq!(catalogue.varieties_of("sweet_potato").count(), 2);
    assert_eq!(catalogue.closest_quantity("cadmum"), Some("cadmium"));
}

#[test]
fn a_value_comes_into_the_canonical_unit_from_any_accepted_spelling() {
    let catalogue = small();
    let moisture = catalogue.quantity_no("soil_moisture").unwrap();
    for (value, unit) in [(0.1957, "m3/m3"), (0.1957, "m³/m³"), (19.57, "%"), (19.57, " percent ")]
    {
        let converted = catalogue.convert(moisture, value, unit).unwrap();
        assert!((converted - 0.1957).abs() < 1e-12, "{value} {unit} became {converted}");
    }
}

#[test]
fn an_unknown_unit_names_the_wanted_ones() {
    let catalogue = small();
    let moisture = catalogue.quantity_no("soil_moisture").unwrap();
    let error = catalogue.convert(moisture, 1.0, "kPa").unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"kPa\" is no unit of soil_moisture; wanted one of: m3/m3, %, percent"
    );
    assert!(catalogue.convert(moisture, f64::NAN, "%").is_err());
}

#[test]
fn a_folder_of_the_user_adds_and_replaces_by_key() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("own")).unwrap();
    let [moisture, ..] = SMALL.split("[[quantity]]").skip(1).collect::<Vec<_>>()[..] else {
        panic!("small.toml starts with a quantity")
    };
    let text = format!(
        "[[quantity]]{}\n[[quantity]]{}",
        moisture.replace("[0.02, 0.6]", "[0.1, 0.5]"),
        moisture.replace("soil_moisture", "leaf_wetness"),
    );
    fs::write(folder.path().join("own/more.toml"), text).unwrap();

    let mut draft = Draft::default();
    draft.read(0, "small.toml", SMALL);
    draft.read_folder(1, folder.path());
    let catalogue = Catalogue::build(draft).unwrap();

    let before = small().quantity_no("soil_moisture").unwrap();
    assert_eq!(catalogue.quantity_no("soil_moisture"), Some(before));
    assert_eq!(catalogue.quantity(before).soft, Some([0.1, 0.5]));
    assert_eq!(catalogue.quantities().len(), 3);
    assert!(catalogue.quantity_no("leaf_wetness").is_some());
}

#[test]
fn a_rule_of_a_later_layer_replaces_the_one_with_its_key() {
    let start = SMALL.find("[[rule]]").unwrap();
    let head = "place = { zh = \"村\", en = \"village\" }\nchecked_on = \"2026-02-02\"\n";
    let own = format!("{head}{}", SMALL[start..].replace("\"deny\"", "\"warn\""));
    let mut draft = Draft::default();
    draft.read(0, "small.toml", SMALL);
    draft.read(1, "own.toml", &own);
    let catalogue = Catalogue::build(draft).unwrap();
    let rules: Vec<_> = catalogue.rule_files().iter().flat_map(|file| &file.rules).collect();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].effect, rule::Effect::Warn);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut draft = Draft::default();
    draft.read(0, "small.toml", SMALL);
    draft.read_folder(1, &missing);
    let error = Catalogue::build(draft).unwrap_err();
    assert_eq!(error.mistakes.len(), 1);
    assert!(
        error.to_string().contains(&format!("{}: cannot be read", missing.display())),
        "{error}"
    );
}

#[test]
fn a_catalogue_without_standards_says_which_are_missing() {
    let mistakes = mistakes_of("");
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert!(mistakes[0].contains("soil_standard: found none"), "{mistakes:?}");
    assert!(mistakes[1].contains("food_standard: found none"), "{mistakes:?}");
}

#[test]
fn all_mistakes_are_told_not_only_the_first() {
    let text = SMALL
        .replace("hard = [0.0, 1.0]", "hard = [1.0, 0.0]")
        .replace("organ = \"root\"", "organ = \"wood\"")
        .replace("disease = \"root_rot\"", "disease = \"flu\"")
        .replace("in_force = \"2026-09-02\"", "in_force = \"2026-13-02\"");
    let mistakes = mistakes_of(&text);
    assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
    for word in ["quantity soil_moisture, hard", "\"wood\"", "\"flu\"", "in_force"] {
        assert!(mistakes.iter().any(|mistake| mistake.contains(word)), "{word}: {mistakes:#?}");
    }
}

#[test]
fn broken_toml_is_named_with_its_line() {
    refused("flag_above = 0.6", "flag_above = ", &[]);
}

#[test]
fn unknown_keys_and_wrong_types_are_refused_at_their_line() {
    refused("flag_above = 0.6", "flag_over = 0.6", &["quantity soil_moisture", "flag_over"]);
    refused("flag_above = 0.6", "flag_above = \"0.6\"", &["quantity soil_moisture", "string"]);
    refused("class = \"grain\"", "class = \"cereal\"", &["crop sweet_potato", "cereal", "grain"]);
    refused("[[texture]]", "[[textrue]]", &["textrue", "did you mean texture?"]);
}

#[test]
fn a_missing_key_is_refused_with_the_entry() {
    let mistakes = mistakes_after("family = \"Convolvulaceae\"\n", "");
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert!(mistakes[0].contains("crop sweet_potato: missing field `family`"), "{mistakes:?}");
    let line = SMALL[..SMALL.find("[[crop]]").unwrap()].matches('\n').count() + 1;
    assert!(mistakes[0].starts_with(&format!("small.toml:{line}:")), "{mistakes:?}");
}

#[test]
fn a_key_twice_in_one_source_is_refused() {
    let start = SMALL.find("[[texture]]").unwrap();
    let end = SMALL.find("[food_standard]").unwrap();
    for (again, name) in [
        (SMALL[start..end].to_owned(), "texture loam"),
        (SMALL[SMALL.find("[[rule]]").unwrap()..].to_owned(), "rule no_trees"),
    ] {
        let mistakes = mistakes_of(&format!("{SMALL}\n{again}"));
        let line = SMALL.matches('\n').count() + 2;
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert!(mistakes[0].starts_with(&format!("small.toml:{line}: {name}: found it a second")));
    }
}

#[test]
fn ranges_of_quantities_are_checked() {
    refused("hard = [0.0, 1.0]", "hard = [1.0, 0.0]", &["hard", "[1, 0]", "smaller one first"]);
    refused("hard = [0.0, 1.0]", "hard = [0.0, inf]", &["hard", "inf"]);
    refused("soft = [0.02, 0.6]", "soft = [0.02, 1.6]", &["soft", "inside hard = [0, 1]"]);
    refused("flag_above = 0.6", "flag_above = 6.0", &["flag_above", "6", "inside hard"]);
    refused("key = \"soil_moisture\"", "key = \"Soil moisture\"", &["key", "a-z 0-9 _"]);
}

#[test]
fn a_conversion_that_misses_its_example_is_refused() {
    refused(
        "example = [19.57, 0.1957]",
        "example = [19.57, 1.957]",
        &["quantity soil_moisture, accepts.0.example", "19.57 that must become 1.957"],
    );
    refused("scale = 0.01\n", "scale = nan\n", &["accepts.0.scale", "NaN"]);
}

#[test]
fn a_unit_stands_in_one_conversion_only() {
    let units = "units = [\"%\", \"percent\"]";
    refused(units, "units = [\"%\", \"%\"]", &["accepts.0.units", "\"%\" a second time"]);
    refused(units, "units = [\"%\", \"m3/m3\"]", &["canonical unit \"m3/m3\""]);
    refused(units, "units = []", &["no unit"]);
}

#[test]
fn borders_of_crops_are_checked() {
    let lower = "lower = [4.5, 5.0, 5.5]";
    let key = "crop sweet_potato, requirements.soil_ph.lower";
    refused(lower, "lower = [5.5, 5.0, 4.5]", &[key, "[5.5, 5, 4.5]", "S3, S2, S1, rising"]);
    refused(lower, "lower = [4.5, 5.0, nan]", &[key]);
    refused(lower, "lower = [-4.5, 5.0, 5.5]", &[key, "0 to 14"]);
    refused(
        "upper = [8, 15, 25]",
        "lower = [8, 15, 25]",
        &["slope_percent.lower", "upper borders"],
    );
    let mistakes = mistakes_after("upper = [6.5, 7.0, 8.0]", "upper = [5.5, 7.0, 8.0]");
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert!(mistakes[0].contains("a span for S1"), "{mistakes:?}");
}

#[test]
fn a_word_stands_in_one_class_only() {
    let key = "requirements.drainage.s2";
    refused("s2 = [\"moderate\"]", "s2 = [\"good\"]", &[key, "good a second time"]);
    refused("s1 = [\"good\"]", "s1 = []", &["requirements.drainage.s1", "no word"]);
}

#[test]
fn calendars_of_crops_are_checked() {
    let key = "crop sweet_potato, calendar.0";
    refused("[\"05-01\", \"06-10\"]", "[\"05-01\", \"06-31\"]", &[key, "06-31", "MM-DD"]);
    refused("[\"10-01\", \"11-10\"]", "[\"10-1\", \"11-10\"]", &[key, "10-1", "MM-DD"]);
    refused("days = [110, 160]", "days = [160, 110]", &[key, "the fewer first"]);
}

#[test]
fn other_figures_of_crops_are_checked() {
    refused("gap_years_after_disease = 3", "gap_years_after_disease = 0", &["gap_years = 1"]);
    refused("mean_ratio = 0.1", "mean_ratio = 0", &["cadmium_uptake", "above 0"]);
    refused("kc = [0.5, 1.15, 0.65]", "kc = [0.5, 11.5, 0.65]", &["water_use.kc", "0 to 2"]);
    refused("root_depth_m = [1.0, 1.5]", "root_depth_m = [1.5, 1.0]", &["root_depth_m"]);
    refused("free_fraction = 0.65", "free_fraction = 65", &["free_fraction", "below 1"]);
    refused("kg_ha = 30000\n", "kg_ha = 3000\n", &["usual_yield.kg_ha", "inside its range"]);
    refused("growth_ends_below_c = 15.0", "growth_ends_below_c = 288", &["growth_ends_below_c"]);
}

#[test]
fn references_that_lead_nowhere_are_refused_with_a_hint() {
    refused("food = \"tubers\"", "food = \"tuber\"", &["uses.0.food", "did you mean tubers?"]);
    refused(
        "calendars = [\"summer\"]",
        "calendars = [\"winter\"]",
        &["calendars", "winter", "summer"],
    );
    refused("check = \"xushu_18\"", "check = \"xushu_81\"", &["trials.0.check", "xushu_81"]);
    refused("check = \"xushu_18\"", "check = \"shangshu_19\"", &["another variety"]);
    refused(
        "not_crop = [\"sweet_potato\"]",
        "not_crop = [\"sweet_potatoe\"]",
        &["rule no_trees, when.not_crop", "did you mean sweet_potato?"],
    );
    refused(
        "limits = [{ quantity = \"cadmium\"",
        "limits = [{ quantity = \"cadmum\"",
        &["did you mean cadmium?"],
    );
    refused(
        "quantity = \"cadmium\"\nuses",
        "quantity = \"soil_moisture\"\nuses",
        &["screening.0.quantity", "from_sample"],
    );
    let mistakes =
        mistakes_of(&SMALL.replace("crop = \"sweet_potato\"\nname", "crop = \"potato\"\nname"));
    assert_eq!(mistakes.len(), 2, "{mistakes:#?}");
    assert!(mistakes[1].contains("variety xushu_18, crop: found \"potato\""), "{mistakes:?}");
}

#[test]
fn a_broken_crop_is_not_blamed_on_its_varieties() {
    refused("organ = \"root\"", "organ = \"wood\"", &["crop sweet_potato", "wood"]);
}

#[test]
fn figures_of_varieties_are_checked() {
    refused("dry_matter_percent = 35.0", "dry_matter_percent = 350.0", &["0 to 100"]);
    refused("starch_percent_fresh = 24.0", "starch_percent_fresh = 40", &["dry matter, 35"]);
    refused("days = [110, 130]", "days = [0, 130]", &["variety shangshu_19, days"]);
    refused("year = 2018", "year = 218", &["registrations.0.year", "218"]);
    refused("kg_ha = 30000.0", "kg_ha = -1.0", &["trials.0.kg_ha", "above 0"]);
    refused("over_check_percent = 8.5", "over_check_percent = -100", &["over_check_percent"]);
    refused(
        "uses = [\"starch\"]\ncalendars",
        "uses = [\"feed\"]\ncalendars",
        &["uses", "\"feed\""],
    );
}

#[test]
fn a_resistance_stands_once() {
    refused(
        "disease = \"black_spot\"",
        "disease = \"root_rot\"",
        &["resistances.1.disease", "root_rot a second time"],
    );
}

#[test]
fn limits_of_soil_are_checked() {
    refused(
        "mg_kg = [0.3, 0.4, 0.6, 0.8]",
        "mg_kg = [0.3, 0.4, 0.6]",
        &["screening.0.mg_kg", "3 values", "4, one a pH band"],
    );
    refused(
        "mg_kg = [1.5, 2.0, 3.0, 4.0]",
        "mg_kg = [0.1, 2.0, 3.0, 4.0]",
        &["intervention.0.mg_kg", "not below the screening"],
    );
    refused("ph_upper = [5.5, 6.5, 7.5]", "ph_upper = [6.5, 5.5, 7.5]", &["ph_upper", "rising"]);
    refused("uses = [\"paddy\"]", "uses = [\"paddy\", \"paddy\"]", &[]);
}

#[test]
fn limits_of_food_and_water_of_textures_are_checked() {
    refused("in_force = \"2026-09-02\"", "in_force = \"2026-9-2\"", &["YYYY-MM-DD"]);
    refused("table = \"table 2\"", "table = \"\"", &["limits.0.table", "empty"]);
    refused(
        "wilting_point = [0.07, 0.17]",
        "wilting_point = [0.07, 0.37]",
        &["texture loam", "than at field capacity"],
    );
    refused("saturation = 0.45", "saturation = 0.1", &["saturation"]);
    refused("field_capacity = [0.20, 0.30]", "field_capacity = [0.20, 30]", &["0 to 1"]);
}

#[test]
fn rules_are_checked() {
    let when = "when = { protection = [\"basic_farmland\"], not_crop = [\"sweet_potato\"] }\n";
    let mistakes = mistakes_after(when, "");
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert!(mistakes[0].contains("rule no_trees, when: found no condition"), "{mistakes:?}");
    refused(
        when,
        "when = { crop = [\"sweet_potato\"], not_crop = [\"sweet_potato\"] }\n",
        &["both named and exempt"],
    );
    refused("checked_on = \"2026-01-01\"", "checked_on = \"January\"", &["rule file, checked_on"]);
}

#[test]
fn an_empty_source_is_refused_wherever_it_stands() {
    let mut from = 0;
    while let Some(place) = SMALL[from..].find("source = \"made up\"") {
        let at = from + place;
        let broken = format!("{}source = \"\"{}", &SMALL[..at], &SMALL[at + 18..]);
        let mistakes = mistakes_of(&broken);
        let line = SMALL[..at].matches('\n').count() + 1;
        assert_eq!(mistakes.len(), 1, "line {line}: {mistakes:#?}");
        assert!(mistakes[0].starts_with(&format!("small.toml:{line}: ")), "{mistakes:?}");
        assert!(mistakes[0].contains("found an empty source"), "{mistakes:?}");
        from = at + 18;
    }
}

#[test]
fn a_text_that_lacks_a_language_is_refused() {
    refused(
        "name = { zh = \"甘薯\", en = \"sweet potato\" }",
        "name = { zh = \"甘薯\", en = \"\" }",
        &["name.en", "an empty text"],
    );
}

proptest::proptest! {
    #[test]
    fn a_file_cut_or_garbled_anywhere_gives_mistakes_and_never_a_panic(
        at in 0..SMALL.len(),
        garble in "[\\[\\]{}=\",.#a-z0-9\n镉-]{0,6}",
    ) {
        let at = (0..=at).rev().find(|at| SMALL.is_char_boundary(*at)).unwrap_or(0);
        for text in [SMALL[..at].to_owned(), format!("{}{garble}{}", &SMALL[..at], &SMALL[at..])] {
            if let Err(error) = Catalogue::parse(&[("small.toml", &text)]) {
                assert!(!error.mistakes.is_empty());
            }
        }
    }
}
