use std::{fs, path::PathBuf};

use super::*;

const LINK: &str = r#"
[[mqtt.link]]
url = "mqtt://broker.example:1884"
client_id = "plotwise-1"
username = "plotwise"
password = "swordfish"
cooperatives = ["ningxiang"]
[[mqtt.link.subscription]]
filter = "plotwise/v1/+/up"
decoder = "native"
"#;

fn no_env() -> std::iter::Empty<(String, String)> {
    std::iter::empty()
}

fn load_text(text: &str) -> Result<Settings, SettingsError> {
    load_with(text, &[], &Overrides::default())
}

fn load_with(
    text: &str,
    env: &[(&str, &str)],
    flags: &Overrides,
) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("farm.toml");
    fs::write(&path, text).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(Some(&path), env, flags)
}

fn problems_of(text: &str) -> Vec<String> {
    match load_text(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

/// The file makes one problem, at this line, with these words.
#[track_caller]
fn refused(text: &str, line: usize, words: &[&str]) {
    let problems = problems_of(text);
    let [problem] = problems.as_slice() else { panic!("wanted one problem, found {problems:#?}") };
    assert!(problem.contains(&format!("farm.toml:{line}: ")), "wanted line {line}: {problem}");
    for word in words {
        assert!(problem.contains(word), "wanted {word:?} in {problem}");
    }
}

/// The link with one part changed makes one problem.
#[track_caller]
fn link_refused(part: &str, becomes: &str, line: usize, words: &[&str]) {
    assert_eq!(LINK.matches(part).count(), 1, "{part:?} stands in the link once");
    refused(&LINK.replace(part, becomes), line, words);
}

#[test]
fn the_shipped_defaults_load() {
    let settings = Settings::load(None, no_env(), &Overrides::default()).unwrap();
    assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.mqtt.listener.listen.to_string(), "127.0.0.1:1883");
    assert_eq!(settings.mqtt.listener.limits.packet_bytes_max, 65_536);
    assert!(settings.mqtt.links.is_empty());
}

#[test]
fn every_setting_in_the_comments_of_the_default_file_is_one() {
    // Uncommented, the examples must load too: a comment that lies is found here.
    let text: String = DEFAULT
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with("[[") || rest.contains(" = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let settings = load_text(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(settings.mqtt.links.len(), 1);
    assert!(settings.facts.url.is_some() && settings.map.tiles.is_some());
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let text = "[advice]\ntop = 4\nwindow_days = 10\n";
    let env = [("PLOTWISE__ADVICE__TOP", "5"), ("PLOTWISE__ADVICE__WINDOW_DAYS", "20")];
    let flags = Overrides::default().with("--top", "advice.top", "6");
    let settings = load_with(text, &env, &flags).unwrap();
    assert_eq!(settings.advice, AdviceSettings { window_days: 20, top: 6 });
}

#[test]
fn variables_of_other_programs_are_left_alone() {
    let env = [("PLOTWISE_CONFIG", "x"), ("PLOTWISE_DATA", "y"), ("HOME", "z")];
    assert!(load_with("", &env, &Overrides::default()).is_ok());
}

#[test]
fn a_path_of_digits_from_the_environment_stays_a_text() {
    let env = [("PLOTWISE__MAP__TILES", "http://[::1]/{z}/{x}/{y}")];
    let settings = load_with("", &env, &Overrides::default()).unwrap();
    assert_eq!(settings.map.tiles.as_deref(), Some("http://[::1]/{z}/{x}/{y}"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    refused("[http]\nlisten_ = \"127.0.0.1:1\"\n", 2, &["http.listen_", "did you mean listen?"]);
    refused("[mqtt.listener.limits]\nconections_max = 1\n", 2, &["did you mean connections_max?"]);
    refused("\n[htpp]\nlisten = 1\n", 2, &["htpp", "unknown section, did you mean http?"]);
    link_refused("username", "user_name", 5, &["mqtt.link.0.user_name", "did you mean username?"]);
}

#[test]
fn a_wrong_type_is_refused_with_what_was_found() {
    refused("[advice]\ntop = \"three\"\n", 2, &["advice.top", "\"three\"", "whole number"]);
    refused("[mqtt.listener]\nenabled = \"yes\"\n", 2, &["mqtt.listener.enabled", "true or false"]);
    refused("[http]\nlisten = \"localhost\"\n", 2, &["http.listen", "localhost", "127.0.0.1:8080"]);
    refused("http = 3\n", 1, &["http", "found `3`, wanted a table"]);
    refused("[log]\nformat = \"xml\"\n", 2, &["log.format", "\"xml\"", "text, json"]);
}

#[test]
fn all_problems_are_told_together() {
    let text =
        "[http]\nlisten = 80\nport = 8080\n[advice]\ntop = -1\n[logs]\n[store]\nwindow = 1\n";
    let problems = problems_of(text);
    assert_eq!(problems.len(), 5, "{problems:#?}");
    for word in ["http.listen", "http.port", "advice.top", "logs", "store.window"] {
        assert!(problems.iter().any(|problem| problem.contains(word)), "{word}: {problems:#?}");
    }
}

#[test]
fn a_problem_names_the_variable_or_flag_it_came_from() {
    let env = [("PLOTWISE__ADVICE__TOP", "many"), ("PLOTWISE__ADVICE__TOPP", "1")];
    let flags = Overrides::default().with("--http", "http.listen", "8080");
    let error = load_with("", &env, &flags).unwrap_err().to_string();
    assert!(error.contains("PLOTWISE__ADVICE__TOP: advice.top: found string \"many\""), "{error}");
    assert!(error.contains("PLOTWISE__ADVICE__TOPP: advice.topp: unknown key"), "{error}");
    assert!(error.contains("--http: http.listen: found \"8080\""), "{error}");
}

#[test]
fn a_variable_without_a_key_is_refused() {
    let error = load_with("", &[("PLOTWISE__", "1")], &Overrides::default()).unwrap_err();
    assert!(error.to_string().contains("PLOTWISE__: names no setting"), "{error}");
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_named() {
    let path = Path::new("no/such/farm.toml");
    let error = Settings::load(Some(path), no_env(), &Overrides::default()).unwrap_err();
    assert!(error.to_string().contains("no/such/farm.toml: cannot be read"), "{error}");
    refused("[http]\nlisten = \n", 2, &[]);
}

#[test]
fn http_beyond_loopback_is_refused_with_the_reason() {
    let reason = "there is no signing in yet";
    refused("[http]\nlisten = \"0.0.0.0:8080\"\n", 2, &["http.listen", "0.0.0.0:8080", reason]);
    assert!(load_text("[http]\nlisten = \"[::1]:8080\"\n").is_ok());
}

#[test]
fn http_and_listener_cannot_share_an_address() {
    refused("[mqtt.listener]\nlisten = \"127.0.0.1:8080\"\n", 2, &["mqtt.listener.listen", "8080"]);
    refused("[mqtt.listener]\nlisten = \"0.0.0.0:8080\"\n", 2, &["another port"]);
    let off = "[mqtt.listener]\nenabled = false\nlisten = \"127.0.0.1:8080\"\n";
    assert!(load_text(off).is_ok());
    let free = "[mqtt.listener]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n";
    assert!(load_text(free).is_ok());
}

#[test]
fn values_out_of_range_are_refused() {
    refused("[advice]\ntop = 0\n", 2, &["advice.top"]);
    refused("[advice]\nwindow_days = 0\n", 2, &["advice.window_days", "1 to 3660"]);
    refused("[advice]\ntop = 0\n", 2, &["advice.top", "1 to 50"]);
    refused("[store]\nretain_days = 40000\n", 2, &["retain_days", "0 to 36500"]);
    refused("[store]\nkeep_raw_max_mb = 0\n", 2, &["keep_raw_max_mb", "1 to"]);
    refused("[deadletters]\nmax_mb = 0\n", 2, &["max_mb", "1 to"]);
    refused("[deadletters]\nretain_days = 0\n", 2, &["retain_days", "1 to 36500"]);
    refused("[deadletters]\nretain = 1\n", 2, &["retain", "deadletters"]);
    refused("[store]\nredelivery_window_s = 0\n", 2, &["redelivery_window_s", "1 to 604800"]);
    refused("[mqtt.listener.limits]\nin_flight_max = 0\n", 2, &["in_flight_max", "1 to 65535"]);
    refused("[mqtt.listener.limits]\npacket_bytes_max = 10\n", 2, &["packet_bytes_max", "1024"]);
    refused("[facts]\nurl = \"postgres://db/plotwise\"\n", 2, &["facts.url", "sqlite:"]);
    refused("[map]\ntiles = \"https://tiles.example\"\n", 2, &["map.tiles", "{z}, {x} and {y}"]);
    refused("[log]\nlevel = \"loud\"\n", 2, &["log.level", "\"loud\"", "info"]);
    assert!(load_text("[log]\nlevel = \"info,plotwise_ingest=debug\"\n").is_ok());
}

#[test]
fn a_link_loads() {
    let settings = load_text(LINK).unwrap();
    let link = &settings.mqtt.links[0];
    assert_eq!(link.broker(), Some(("broker.example", 1884)));
    assert_eq!(link.password.as_ref().unwrap().reveal(), "swordfish");
    assert_eq!(link.subscriptions[0].decoder, Decoder::Native);
}

#[test]
fn a_link_without_subscription_or_cooperative_is_refused() {
    let start = LINK.find("[[mqtt.link.subscription]]").unwrap();
    refused(&LINK[..start], 2, &["mqtt.link.0", "[[mqtt.link.subscription]]"]);
    link_refused("[\"ningxiang\"]", "[]", 7, &["mqtt.link.0.cooperatives", "at least one"]);
}

#[test]
fn what_a_link_must_have_is_asked_for() {
    let wanted = "found nothing, wanted a value";
    link_refused("client_id = \"plotwise-1\"\n", "", 2, &["mqtt.link.0.client_id", wanted]);
    link_refused("decoder = \"native\"\n", "", 8, &["subscription.0.decoder", wanted]);
}

#[test]
fn a_link_whose_address_is_none_is_refused() {
    let url = "mqtt://broker.example:1884";
    link_refused(url, "http://broker.example", 3, &["mqtt.link.0.url", "mqtt://HOST"]);
    link_refused(url, "mqtt://broker.example:x", 3, &["mqtt.link.0.url"]);
    link_refused(url, "mqtt://127.0.0.1", 3, &["Plotwise's own listener"]);
    let problems = problems_of(&LINK.replace(url, "mqtt://me:hunter2@broker.example"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(!problems[0].contains("hunter2"), "{problems:?}");
}

#[test]
fn a_link_with_tls_says_so_in_its_address() {
    let url = "mqtt://broker.example:1884";
    let text = LINK.replace(url, "mqtts://broker.example");
    let link = &load_text(&text).unwrap().mqtt.links[0];
    assert_eq!((link.broker(), link.is_tls()), (Some(("broker.example", 8883)), true));
    link_refused("username", "tls.ca = \"ca.pem\"\nusername", 5, &["mqtt.link.0.tls", "mqtts://"]);
    let half = text.replace("username", "tls.cert = \"c.pem\"\nusername");
    refused(&half, 5, &["mqtt.link.0.tls", "both, or neither"]);
}

#[test]
fn tls_of_the_listener_wants_its_files_and_an_address_of_its_own() {
    let tls = |rest: &str| format!("[mqtt.listener.tls]\n{rest}\n");
    let key = "mqtt.listener.tls";
    let problems = problems_of(&tls("mode = \"files\""));
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("mqtt.listener.tls.cert: found nothing, wanted a PEM file"));
    let auto = "mode = \"auto\"\n";
    refused(&tls(&format!("{auto}cert = \"c.pem\"")), 3, &[key, "mode = \"files\""]);
    refused(&tls(&format!("{auto}listen = \"0.0.0.0:1883\"")), 3, &["mqtt.listener.listen"]);
    refused(&tls(&format!("{auto}listen = \"127.0.0.1:8080\"")), 3, &["http.listen"]);
    refused(&tls(&format!("{auto}names = [\"a b\"]")), 3, &[key, "names", "\"a b\"", "host name"]);
    refused(&tls("mode = \"on\""), 2, &["mqtt.listener.tls.mode", "off, files, auto"]);
    assert!(load_text(&tls("cert = \"only when on\"")).is_ok());
    assert!(load_text(&tls(&format!("{auto}names = [\"farm.example\", \"::1\"]"))).is_ok());
}

#[test]
fn two_links_cannot_share_a_client_id() {
    refused(&format!("{LINK}{LINK}"), 14, &["mqtt.link.1.client_id", "mqtt.link.0 has too"]);
    link_refused("\"plotwise-1\"", "\"\"", 4, &["mqtt.link.0.client_id", "empty"]);
}

#[test]
fn filters_and_shares_of_a_link_are_checked() {
    let filter = "plotwise/v1/+/up";
    let key = "mqtt.link.0.subscription.0.filter";
    for broken in ["", "a#", "a/#/b", "a+/b"] {
        link_refused(filter, broken, 9, &[key, "topic filter"]);
    }
    link_refused(filter, "$share/g/plotwise/v1/+/up", 9, &[key, "share = "]);
    link_refused("url =", "share = \"a/b\"\nurl =", 3, &["mqtt.link.0.share", "without / + #"]);
    link_refused("\"native\"", "\"xml\"", 10, &["decoder", "\"xml\"", "native", "senml"]);
    let twice =
        format!("{LINK}[[mqtt.link.subscription]]\nfilter = \"{filter}\"\ndecoder = \"native\"\n");
    refused(&twice, 12, &["subscription.1.filter", "a second time"]);
}

#[test]
fn a_decoder_is_one_word_and_comes_back_as_it_was() {
    for word in ["native", "senml", "chirpstack", "things_stack", "profile:zigbee2mqtt_soil"] {
        let settings = load_text(&LINK.replace("\"native\"", &format!("{word:?}"))).unwrap();
        let decoder = &settings.mqtt.links[0].subscriptions[0].decoder;
        assert_eq!(decoder.to_string(), word);
        assert!(settings.show().contains(&format!("decoder = {word:?}")));
    }
    link_refused("\"native\"", "\"profile:\"", 10, &["decoder", "profile:NAME"]);
}

#[test]
fn a_subscription_names_a_profile_of_the_catalogue() {
    let catalogue = Catalogue::shipped().unwrap();
    let text = LINK.replace("\"native\"", "\"profile:dragino_lse1\"");
    let error = load_text(&text).unwrap().check_profiles(&catalogue).unwrap_err().to_string();
    for word in ["farm.toml:10", "subscription.0.decoder", "(did you mean dragino_lse01?)"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let text = LINK.replace("\"native\"", "\"profile:dragino_lse01\"");
    assert!(load_text(&text).unwrap().check_profiles(&catalogue).is_ok());
}

#[test]
fn a_password_needs_a_username() {
    link_refused("username = \"plotwise\"\n", "", 5, &["mqtt.link.0.password", "without username"]);
}

#[test]
fn no_secret_is_ever_shown() {
    let settings = load_text(LINK).unwrap();
    for text in [settings.show(), format!("{settings:?}"), toml::to_string(&settings).unwrap()] {
        assert!(!text.contains("swordfish"), "{text}");
        assert!(text.contains("***"), "{text}");
    }
    let problems = problems_of(&LINK.replace("\"swordfish\"", "1234567"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(!problems[0].contains("1234567"), "{problems:?}");
}

#[test]
fn show_says_where_each_value_came_from() {
    let flags = Overrides::default().with("--log", "log.level", "debug");
    let shown = load_with(LINK, &[("PLOTWISE__ADVICE__TOP", "5")], &flags).unwrap().show();
    assert!(shown.contains("listen = \"127.0.0.1:8080\"  # the shipped defaults"), "{shown}");
    assert!(shown.contains("top = 5  # PLOTWISE__ADVICE__TOP"), "{shown}");
    assert!(shown.contains("level = \"debug\"  # --log"), "{shown}");
    assert!(shown.contains("[[mqtt.link.subscription]]\n"), "{shown}");
    let line = shown.lines().find(|line| line.starts_with("client_id")).unwrap();
    assert!(line.ends_with("farm.toml:4"), "{line}");
    // What is shown can be read again.
    assert!(toml::from_str::<toml::Table>(&shown).is_ok(), "{shown}");
}

#[test]
fn folders_and_certificates_are_relative_to_the_file_that_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("farm.toml");
    fs::write(&path, "[catalogue]\nfolders = [\"own\"]\n").unwrap();
    let settings = Settings::load(Some(&path), no_env(), &Overrides::default()).unwrap();
    assert_eq!(settings.catalogue.folders, [folder.path().join("own")]);

    let tls = "mode = \"files\"\ncert = \"c.pem\"\nkey = \"/etc/k.pem\"\n";
    fs::write(&path, format!("[mqtt.listener.tls]\n{tls}")).unwrap();
    let settings = Settings::load(Some(&path), no_env(), &Overrides::default()).unwrap();
    let wanted = (folder.path().join("c.pem"), PathBuf::from("/etc/k.pem"));
    assert_eq!(settings.mqtt.listener.tls.files(), Some((&*wanted.0, &*wanted.1)));
    fs::write(&path, "[catalogue]\nfolders = [\"own\"]\n").unwrap();

    let flags = Overrides::default().with("--catalogue", "catalogue.folders", "[own]");
    let settings = Settings::load(Some(&path), no_env(), &flags).unwrap();
    assert_eq!(settings.catalogue.folders, [PathBuf::from("own")]);
}
